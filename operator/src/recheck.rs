//! Objects to look at again although nothing of theirs changed in the cluster: from those who find out, to the
//! controller of their kind.

use std::sync::Arc;

use futures::Stream;
use kube::runtime::reflector::ObjectRef;
use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::cache::pods::Owner;
use crate::reconciled_kind::ReconciledKind;

/// Both ends, for all who share it.
#[derive(Clone, Debug)]
pub struct Recheck {
    told: UnboundedSender<Owner>,
    heard: Arc<Mutex<Option<UnboundedReceiver<Owner>>>>,
}

impl Default for Recheck {
    fn default() -> Self {
        let (told, heard) = unbounded_channel();
        Self {
            told,
            heard: Arc::new(Mutex::new(Some(heard))),
        }
    }
}

impl Recheck {
    /// The object `owner` is to be looked at.
    pub(crate) fn tell(&self, owner: Owner) {
        // Nobody is told once the controller has ended.
        let _ = self.told.send(owner);
    }

    /// Those that are to be looked at, as that comes to be known; for the first who asks.
    pub(crate) fn objects<K: ReconciledKind>(
        &self,
    ) -> impl Stream<Item = ObjectRef<K>> + Send + use<K> {
        let heard = self.heard.lock().take();
        futures::stream::unfold(heard, async |heard| {
            let mut heard = heard?;
            let (namespace, name) = heard.recv().await?;
            Some((ObjectRef::new(&name).within(&namespace), Some(heard)))
        })
    }
}

#[cfg(test)]
mod tests {
    use docket_crds::DocumentTenant;
    use futures::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn who_listens_is_told_of_each_tenant() {
        let recheck = Recheck::default();
        let mut tenants = Box::pin(recheck.objects::<DocumentTenant>());
        recheck.tell(("acme".into(), "globex".into()));
        let told = tenants.next().await.expect("a tenant");
        assert_eq!(
            (&*told.name, told.namespace.as_deref()),
            ("globex", Some("acme"))
        );
    }
}

//! Children that not every spec asks for: one that is no longer wanted goes.

use docket_crds::{PlannedAction, PlannedChange};
use kube::Api;
use kube::api::{DeleteParams, Preconditions};
use tracing::{Instrument, info_span};

use super::{Apply, Change, Child, belongs_to};
use crate::error::Result;
use crate::identified::Identified;
use crate::reconciled_kind::{ReconciledKind, Shared};

impl<K: ReconciledKind> Apply<'_, K> {
    /// Takes away the owner's object `name` of this kind. One that the store does not show yet brings the
    /// owner back here when it does.
    pub(super) async fn prune<C: Child>(&self, name: &str) -> Result<Option<Change>> {
        if !self.has::<C>(name) {
            return Ok(None);
        }
        let kind = C::kind(&());
        let span = info_span!(
            "delete_child",
            otel.name = format!("delete {kind}"),
            k8s.object.name = name
        );
        let going = take_away::<C, K>(self.owner, name, self.shared);
        let went = Box::pin(going.instrument(span)).await?;
        Ok(went.then(|| Change::new("deleted", format!("{kind}/{name}"))))
    }

    /// The same, said and not done.
    pub(super) fn plan_to_prune<C: Child>(&self, name: &str) -> Option<PlannedChange> {
        self.has::<C>(name).then(|| PlannedChange {
            action: PlannedAction::Delete,
            object: format!("{}/{name}", C::kind(&())),
            client: None,
            detail: "the spec no longer asks for it".into(),
        })
    }

    fn has<C: Child>(&self, name: &str) -> bool {
        let known = C::cache(self.shared.caches).get(self.owner.namespace(), name);
        known.is_some_and(|known| belongs_to(&known, self.owner.uid()))
    }
}

/// Deletes the object of this kind and name if it belongs to `owner`; says whether it did.
pub(in crate::reconcile) async fn take_away<C: Child, K: ReconciledKind>(
    owner: &Identified<K>,
    name: &str,
    shared: Shared<'_, K>,
) -> Result<bool> {
    let api: Api<C> = Api::namespaced(shared.client.clone(), owner.namespace());
    // Caches run behind: what went already is not to be deleted twice.
    let live = match api.get_metadata(name).await {
        Ok(live) => live,
        // Also where the whole kind is gone, which the answer then says in no other way.
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if !belongs_to(&live, owner.uid()) || live.metadata.deletion_timestamp.is_some() {
        return Ok(false);
    }
    let params = DeleteParams {
        // Not what took its place meanwhile.
        preconditions: Some(Preconditions {
            uid: live.metadata.uid,
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    shared.metrics.wrote(&C::kind(&()), "delete");
    match api.delete(name, &params).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

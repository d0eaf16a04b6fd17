//! The Secrets that tenants name, read again only when the watch says that they changed.
//!
//! Any Secret of the cluster may be one, so all are watched without their data; data is kept of those
//! that were read and have little: who writes one decides how much that is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use docket_crds::labels;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, MutexGuard};

use crate::identified::namespace_and_name;

/// Entries of a Secret.
pub type Entries = BTreeMap<String, ByteString>;

/// What is read of a Secret.
#[derive(Debug, Default)]
pub struct ReferencedSecret {
    /// What it holds.
    pub entries: Entries,
    /// What it may go out as, by its label.
    pub allowed_as: Option<String>,
}

/// Bytes of one that is kept: a hundred certificates have no more. One that is larger is read each time.
const LARGEST: usize = 128 * 1024;

impl ReferencedSecret {
    fn of(secret: Secret) -> Self {
        let labels = secret.metadata.labels.as_ref();
        Self {
            allowed_as: labels.and_then(|labels| labels.get(labels::ALLOWED_AS).cloned()),
            entries: secret.data.unwrap_or_default(),
        }
    }

    fn size(&self) -> usize {
        let entries = self.entries.iter();
        entries.map(|(key, value)| key.len() + value.0.len()).sum()
    }
}

/// Namespace and name of a Secret.
type Key = (String, String);

/// What the watch and those who read have brought so far, shared by both.
#[derive(Clone, Debug, Default)]
pub struct ReferencedSecrets(Arc<Mutex<CachedSecrets>>);

#[derive(Debug, Default)]
struct CachedSecrets {
    /// Resource versions that the watch has brought.
    versions: HashMap<Key, String>,
    /// What was read, and of which version it is.
    read: HashMap<Key, (String, Arc<ReferencedSecret>)>,
}

impl ReferencedSecrets {
    fn known(&self) -> MutexGuard<'_, CachedSecrets> {
        self.0.lock()
    }

    /// Takes in what the watch brings.
    pub fn take(&self, event: &Event<PartialObjectMeta<Secret>>) {
        match event {
            // What a list does not bring is read again.
            Event::Init => self.known().versions.clear(),
            Event::Apply(secret) | Event::InitApply(secret) => {
                if let (Some(key), Some(version)) =
                    (namespace_and_name(secret), secret.resource_version())
                {
                    self.known().versions.insert(key, version);
                }
            }
            Event::Delete(secret) => {
                if let Some(key) = namespace_and_name(secret) {
                    let mut known = self.known();
                    known.versions.remove(&key);
                    known.read.remove(&key);
                }
            }
            Event::InitDone => {
                // What went while nobody watched is not kept, either.
                let CachedSecrets { versions, read } = &mut *self.known();
                read.retain(|key, _| versions.contains_key(key));
            }
        }
    }

    /// The Secret `name`, if what was read is what the watch knows.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<ReferencedSecret>> {
        let key = (namespace.to_owned(), name.to_owned());
        let known = self.known();
        let (version, secret) = known.read.get(&key)?;
        (known.versions.get(&key) == Some(version)).then(|| secret.clone())
    }

    /// Keeps what was read, unless it is large.
    pub fn keep(&self, secret: Secret) -> Arc<ReferencedSecret> {
        let read = namespace_and_name(&secret).zip(secret.resource_version());
        let secret = Arc::new(ReferencedSecret::of(secret));
        if let Some((key, version)) = read {
            let mut known = self.known();
            match secret.size() <= LARGEST {
                true => known.read.insert(key, (version, secret.clone())),
                false => known.read.remove(&key),
            };
        }
        secret
    }

    /// Forgets what was read of a Secret that is gone.
    pub fn forget(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        self.known().read.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metadata(version: &str) -> PartialObjectMeta<Secret> {
        let metadata = json!({"name": "s", "namespace": "acme", "resourceVersion": version});
        serde_json::from_value(json!({"metadata": metadata})).expect("metadata")
    }

    fn secret(version: &str) -> Secret {
        let metadata = json!({"name": "s", "namespace": "acme", "resourceVersion": version});
        serde_json::from_value(json!({"metadata": metadata})).expect("a Secret")
    }

    #[test]
    fn what_was_read_is_used_until_the_watch_knows_another_version() {
        let secrets = ReferencedSecrets::default();
        secrets.keep(secret("1"));
        assert!(
            secrets.get("acme", "s").is_none(),
            "no watch vouches for it"
        );
        secrets.take(&Event::InitApply(metadata("1")));
        assert!(secrets.get("acme", "s").is_some());
        secrets.take(&Event::Apply(metadata("2")));
        assert!(secrets.get("acme", "s").is_none());
        secrets.keep(secret("2"));
        assert!(secrets.get("acme", "s").is_some());
        secrets.take(&Event::Delete(metadata("2")));
        assert!(secrets.get("acme", "s").is_none());
    }

    #[test]
    fn a_secret_with_much_in_it_is_read_each_time() {
        let secrets = ReferencedSecrets::default();
        let mut large = secret("1");
        let content = ByteString(vec![b'a'; LARGEST]);
        large.data = Some([("key".to_owned(), content)].into());
        secrets.take(&Event::Apply(metadata("1")));
        let read = secrets.keep(large);
        assert_eq!(read.entries.len(), 1);
        assert!(secrets.get("acme", "s").is_none());
    }

    #[test]
    fn nothing_is_vouched_for_while_the_watch_begins_anew() {
        let secrets = ReferencedSecrets::default();
        secrets.keep(secret("1"));
        secrets.take(&Event::Apply(metadata("1")));
        secrets.take(&Event::Init);
        assert!(secrets.get("acme", "s").is_none());
    }

    #[test]
    fn nothing_is_kept_of_a_secret_that_went_while_nobody_watched() {
        let secrets = ReferencedSecrets::default();
        secrets.take(&Event::Apply(metadata("1")));
        secrets.keep(secret("1"));
        secrets.take(&Event::Init);
        secrets.take(&Event::InitDone);
        assert!(secrets.known().read.is_empty());
    }
}

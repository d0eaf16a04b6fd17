//! The newest version of an object that this process has seen.
//!
//! A watch runs behind our own writes. A reconcile that started from the version before its own
//! last write would see an old status, and write it again.

use std::sync::Arc;

use kube::Resource;

/// What the API server answered to our last write, until the watch brings it.
#[derive(Debug)]
pub(super) struct ReadYourWrites<K>(Option<Arc<K>>);

impl<K> Default for ReadYourWrites<K> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: Resource> ReadYourWrites<K> {
    /// Notes what a write returned.
    pub(super) fn wrote(&mut self, written: Arc<K>) {
        self.0 = Some(written);
    }

    /// The newer of what the watch brought and what we wrote.
    pub(super) fn newest(&mut self, watched: Arc<K>) -> Arc<K> {
        self.caught_up(&*watched);
        self.0.clone().unwrap_or(watched)
    }

    /// Forgets a write that the watch has brought.
    pub(super) fn caught_up(&mut self, watched: &K) {
        if let Some(written) = &self.0
            && version(&**written) <= version(watched)
        {
            self.0 = None;
        }
    }
}

/// Resource versions can be compared as numbers (KEP-5504, Kubernetes 1.35).
fn version<K: Resource>(object: &K) -> u64 {
    let version = object.meta().resource_version.as_deref();
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::ResourceExt;

    fn object(version: &str) -> Arc<ConfigMap> {
        let mut object = ConfigMap::default();
        object.metadata.resource_version = Some(version.into());
        Arc::new(object)
    }

    #[test]
    fn our_own_write_wins_over_an_older_watch_event_and_loses_to_a_newer_one() {
        let mut cache = ReadYourWrites::default();
        cache.wrote(object("10"));
        for (watched, newest) in [("9", "10"), ("11", "11"), ("9", "9")] {
            let seen = cache.newest(object(watched)).resource_version();
            assert_eq!(seen.as_deref(), Some(newest), "{watched}");
        }
    }
}

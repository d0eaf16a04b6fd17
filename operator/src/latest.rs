//! The newest version of a tenant that this process has seen.
//!
//! A watch runs behind our own writes. A reconcile that started from the version before its own
//! last write would see an old status, and write it again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use docket_crds::DocumentTenant;
use kube::ResourceExt;

/// What the API server answered to our last write of each tenant, by uid.
#[derive(Clone, Debug, Default)]
pub struct Latest(Arc<Mutex<HashMap<String, Arc<DocumentTenant>>>>);

impl Latest {
    /// Notes what a write returned.
    pub fn wrote(&self, mut tenant: DocumentTenant) -> Arc<DocumentTenant> {
        // Larger than all the rest, and nobody asks for them.
        tenant.metadata.managed_fields = None;
        let tenant = Arc::new(tenant);
        if let Some(uid) = tenant.uid() {
            self.0
                .lock()
                .expect("no holder of this lock panics")
                .insert(uid, tenant.clone());
        }
        tenant
    }

    /// The newer of what the watch brought and what we wrote.
    pub fn of(&self, watched: Arc<DocumentTenant>) -> Arc<DocumentTenant> {
        let uid = watched.uid().unwrap_or_default();
        let mut latest = self.0.lock().expect("no holder of this lock panics");
        match latest.get(&uid) {
            Some(written) if version(written) > version(&watched) => written.clone(),
            Some(_) => {
                latest.remove(&uid);
                watched
            }
            None => watched,
        }
    }

    /// Forgets a write that the watch has brought.
    pub fn caught_up(&self, watched: &DocumentTenant) {
        let uid = watched.uid().unwrap_or_default();
        let mut latest = self.0.lock().expect("no holder of this lock panics");
        let known = latest.get(&uid);
        if known.is_some_and(|written| version(written) <= version(watched)) {
            latest.remove(&uid);
        }
    }

    /// Forgets a tenant that is gone.
    pub fn forget(&self, uid: &str) {
        self.0
            .lock()
            .expect("no holder of this lock panics")
            .remove(uid);
    }
}

/// Resource versions can be compared as numbers (KEP-5504, Kubernetes 1.35).
fn version(tenant: &DocumentTenant) -> u64 {
    tenant
        .resource_version()
        .and_then(|version| version.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(version: &str) -> DocumentTenant {
        let mut tenant: DocumentTenant = serde_json::from_value(serde_json::json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "uid": "u"},
            "spec": {"clients": [], "database": {"secretRef": {"name": "d"}},
                "storage": {"s3": {"bucket": "b", "endpoint": "http://s", "secretRef": {"name": "s"}}}},
        }))
        .expect("a tenant");
        tenant.metadata.resource_version = Some(version.into());
        tenant
    }

    #[test]
    fn our_own_write_wins_over_an_older_watch_event_and_loses_to_a_newer_one() {
        let latest = Latest::default();
        latest.wrote(tenant("10"));
        assert_eq!(
            latest
                .of(Arc::new(tenant("9")))
                .resource_version()
                .as_deref(),
            Some("10")
        );
        assert_eq!(
            latest
                .of(Arc::new(tenant("11")))
                .resource_version()
                .as_deref(),
            Some("11")
        );
    }
}

//! What databases held of tenants a moment ago: while pods come about, a tenant is looked at again and again,
//! and nobody but we changes what is its own there.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use docket_crds::DocumentTenant;

use crate::database::{AdminConnection, Inspection};

/// An inspection, and when it was made.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// What is there.
    pub inspection: Inspection,
    at: Instant,
}

impl Inspected {
    /// An inspection made just now.
    #[must_use]
    pub fn now(inspection: Inspection) -> Self {
        let at = Instant::now();
        Self { inspection, at }
    }
}

/// What an inspection was made for: one of something else is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InspectionKey(u64);

impl InspectionKey {
    /// What `tenant` asks for, by `connection`, of the clients whose schemas are `schemas`.
    #[must_use]
    pub fn of(tenant: &DocumentTenant, connection: &AdminConnection, schemas: &[String]) -> Self {
        let mut hasher = DefaultHasher::new();
        let metadata = &tenant.metadata;
        (metadata.generation, &metadata.annotations).hash(&mut hasher);
        (connection.key(), schemas).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The last inspection of a tenant whose last reconcile left nothing to do.
#[derive(Debug, Default)]
pub(super) struct InspectionCache(Option<(InspectionKey, Inspected)>);

impl InspectionCache {
    /// What was kept, if it was made for `key` and is younger than `fresh`.
    pub(super) fn get(&self, key: InspectionKey, fresh: Duration) -> Option<Inspected> {
        let (made_for, inspected) = self.0.as_ref()?;
        (*made_for == key && inspected.at.elapsed() < fresh).then(|| inspected.clone())
    }

    /// Keeps what there is of the tenant.
    pub(super) fn keep(&mut self, key: InspectionKey, inspected: Inspected) {
        self.0 = Some((key, inspected));
    }

    /// Whatever was known may be otherwise by now.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    /// Forgets what is older than `fresh`, since nobody may use it any more.
    pub(super) fn forget_stale(&mut self, fresh: Duration) {
        if let Some((_, inspected)) = &self.0
            && inspected.at.elapsed() >= fresh
        {
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validated_tenant::example::connection;
    use kube::ResourceExt as _;
    use serde_json::json;

    const LONG: Duration = Duration::from_secs(600);

    fn key(tenant: &DocumentTenant) -> InspectionKey {
        InspectionKey::of(tenant, &connection(), &["acme_globex".into()])
    }

    fn with_password(password: &str) -> AdminConnection {
        AdminConnection {
            password: password.into(),
            ..connection()
        }
    }

    fn tenant() -> DocumentTenant {
        serde_json::from_value(json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "uid": "u", "generation": 1},
            "spec": {"clients": [], "database": {"secretRef": {"name": "d"}},
                "workloads": {"documents": {"storage": {"s3": {"bucket": "b", "endpoint": "http://s", "secretRef": {"name": "s"}}}}}},
        }))
        .expect("a tenant")
    }

    #[test]
    fn an_inspection_is_good_for_what_the_tenant_asked_for_then() {
        let mut cache = InspectionCache::default();
        let (before, schemas) = (tenant(), ["acme_globex".to_owned()]);
        cache.keep(key(&before), Inspected::now(Inspection::new()));
        assert!(cache.get(key(&before), LONG).is_some());

        let mut changed = tenant();
        changed.metadata.generation = Some(2);
        assert!(cache.get(key(&changed), LONG).is_none(), "the spec");
        let mut asked = tenant();
        asked
            .annotations_mut()
            .insert(docket_crds::annotations::ROTATE.into(), "1".into());
        assert!(cache.get(key(&asked), LONG).is_none(), "a rotation");
        let elsewhere = InspectionKey::of(&before, &with_password("rotated"), &schemas);
        assert!(cache.get(elsewhere, LONG).is_none(), "the Secret");
        let more = InspectionKey::of(&before, &connection(), &[]);
        assert!(cache.get(more, LONG).is_none(), "the clients");

        cache.forget();
        assert!(cache.get(key(&before), LONG).is_none());
    }

    #[test]
    fn an_inspection_that_is_not_fresh_is_not_used_and_not_kept() {
        let mut cache = InspectionCache::default();
        let key = key(&tenant());
        cache.keep(key, Inspected::now(Inspection::new()));
        cache.forget_stale(LONG);
        assert!(cache.get(key, LONG).is_some());
        assert!(cache.get(key, Duration::ZERO).is_none());
        cache.forget_stale(Duration::ZERO);
        assert!(cache.get(key, LONG).is_none());
    }
}

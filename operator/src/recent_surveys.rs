//! What databases held of tenants a moment ago: while pods come about, a tenant is looked at again and again,
//! and nobody but we changes what is its own there.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use docket_crds::DocumentTenant;

use crate::database::{AdminConnection, Survey};

/// A survey, and when it was made.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// What is there.
    pub survey: Survey,
    at: Instant,
}

impl Surveyed {
    /// A survey made just now.
    #[must_use]
    pub fn now(survey: Survey) -> Self {
        let at = Instant::now();
        Self { survey, at }
    }
}

/// What a survey was made for: one of something else is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion(u64);

impl Occasion {
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

/// The last survey of each tenant whose last reconcile left nothing to do, by its uid.
#[derive(Debug, Default)]
pub struct RecentSurveys {
    fresh: Duration,
    known: Mutex<HashMap<String, (Occasion, Surveyed)>>,
}

impl RecentSurveys {
    /// Surveys are good for `fresh`; by default for no time.
    #[must_use]
    pub fn of(fresh: Duration) -> Self {
        Self {
            fresh,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, (Occasion, Surveyed)>> {
        self.known.lock().expect("no holder of this lock panics")
    }

    /// What was kept of the tenant `uid`, if it was made for `occasion` and is fresh.
    #[must_use]
    pub fn get(&self, uid: &str, occasion: Occasion) -> Option<Surveyed> {
        let known = self.known();
        let (kept_for, surveyed) = known.get(uid)?;
        let good = *kept_for == occasion && surveyed.at.elapsed() < self.fresh;
        good.then(|| surveyed.clone())
    }

    /// Keeps what there is of the tenant `uid`, and drops what is not fresh any more.
    pub fn keep(&self, uid: &str, occasion: Occasion, surveyed: Surveyed) {
        let mut known = self.known();
        known.retain(|_, (_, surveyed)| surveyed.at.elapsed() < self.fresh);
        known.insert(uid.to_owned(), (occasion, surveyed));
    }

    /// Whatever was known of the tenant `uid` may be otherwise by now.
    pub fn forget(&self, uid: &str) {
        self.known().remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_contract::{Database, SslMode};
    use kube::ResourceExt as _;
    use serde_json::json;

    const LONG: Duration = Duration::from_secs(600);

    fn occasion(tenant: &DocumentTenant) -> Occasion {
        Occasion::of(tenant, &connection("password"), &["acme_globex".into()])
    }

    fn connection(password: &str) -> AdminConnection {
        AdminConnection {
            database: Database {
                host: "db".into(),
                port: 5432,
                dbname: "docket".into(),
                ssl_mode: SslMode::Prefer,
            },
            username: "admin".into(),
            password: password.into(),
        }
    }

    fn tenant() -> DocumentTenant {
        serde_json::from_value(json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "uid": "u", "generation": 1},
            "spec": {"clients": [], "database": {"secretRef": {"name": "d"}},
                "storage": {"s3": {"bucket": "b", "endpoint": "http://s", "secretRef": {"name": "s"}}}},
        }))
        .expect("a tenant")
    }

    #[test]
    fn a_survey_is_good_for_one_tenant_and_what_it_asked_for_then() {
        let surveys = RecentSurveys::of(LONG);
        let (before, schemas) = (tenant(), ["acme_globex".to_owned()]);
        surveys.keep("u", occasion(&before), Surveyed::now(Survey::new()));
        assert!(surveys.get("u", occasion(&before)).is_some());
        assert!(surveys.get("v", occasion(&before)).is_none());

        let mut changed = tenant();
        changed.metadata.generation = Some(2);
        assert!(surveys.get("u", occasion(&changed)).is_none(), "the spec");
        let mut asked = tenant();
        asked
            .annotations_mut()
            .insert("docket.dev/rotate".into(), "1".into());
        assert!(surveys.get("u", occasion(&asked)).is_none(), "a rotation");
        let elsewhere = Occasion::of(&before, &connection("rotated"), &schemas);
        assert!(surveys.get("u", elsewhere).is_none(), "the Secret");
        let more = Occasion::of(&before, &connection("password"), &[]);
        assert!(surveys.get("u", more).is_none(), "the clients");

        surveys.forget("u");
        assert!(surveys.get("u", occasion(&before)).is_none());
    }

    #[test]
    fn a_survey_that_is_not_fresh_is_dropped() {
        let surveys = RecentSurveys::of(Duration::from_nanos(1));
        let occasion = occasion(&tenant());
        surveys.keep("u", occasion, Surveyed::now(Survey::new()));
        std::thread::sleep(Duration::from_millis(1));
        assert!(surveys.get("u", occasion).is_none());
        surveys.keep("v", occasion, Surveyed::now(Survey::new()));
        assert!(!surveys.known().contains_key("u"));
    }
}

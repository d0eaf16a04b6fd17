//! What is kept of each tenant beside what is kept of any object, and for how long it is good.

use std::time::{Duration, Instant};

use docket_crds::{DocumentTenant, ReconcileStatus};
use kube::runtime::watcher::Event;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::inspection_cache::{Inspected, InspectionCache, InspectionKey};
use super::object::Memories;
use super::status_debounce::StatusDebounce;
use crate::content::Content;
use crate::database::AdminConnection;
use crate::identified::Identified;

/// What is kept of one tenant beside what is kept of any object.
#[derive(Debug, Default)]
pub struct TenantMemory {
    debounce: StatusDebounce,
    inspection: InspectionCache,
    /// How its database was last reached, for its deletion: with its namespace, a Secret may go before it.
    connection: Option<AdminConnection>,
    /// The same of its bucket, if it has one, and whose content is there.
    content: Option<(&'static str, Content)>,
}

/// For how long something is waited for, or good; by default for no time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Intervals {
    /// Between two reconciles of one tenant.
    pub cooldown: Duration,
    /// For which a report that only says how far pods are waits for the next.
    pub debounce: Duration,
    /// For which what a database held is taken for what it holds.
    pub inspection: Duration,
}

/// What is kept of all tenants; see [`Memories`].
#[derive(Debug, Default)]
pub struct TenantMemories {
    tenants: Memories<DocumentTenant>,
    intervals: Intervals,
    /// When what is stale was last dropped.
    swept: Mutex<Option<Instant>>,
}

impl TenantMemories {
    /// Nothing yet.
    #[must_use]
    pub fn new(intervals: Intervals) -> Self {
        Self {
            tenants: Memories::new(intervals.cooldown),
            intervals,
            swept: Mutex::default(),
        }
    }

    /// Takes in what the watch brings, before those who act on it do.
    pub fn take(&self, event: &Event<DocumentTenant>) {
        self.tenants.take(event);
    }

    /// Whether the watch has brought all tenants.
    pub(crate) fn listed(&self) -> watch::Receiver<bool> {
        self.tenants.listed()
    }

    /// Whether there is a tenant `uid`.
    pub(crate) fn is_known(&self, uid: &str) -> bool {
        self.tenants.knows(uid)
    }

    /// The newer of what the watch brought of `tenant` and what we wrote.
    pub(crate) fn newest(&self, tenant: Identified<DocumentTenant>) -> Identified<DocumentTenant> {
        self.tenants.newest(tenant)
    }

    /// Holds a report of the tenant `uid`, which would tell of `reconcile`, and says for how long still;
    /// `None` when it is to be told now.
    pub(crate) fn hold_report(
        &self,
        uid: &str,
        reconcile: Option<&ReconcileStatus>,
    ) -> Option<Duration> {
        let longest = self.intervals.debounce;
        self.tenants
            .with(uid, |it| it.debounce.hold(longest, reconcile))?
    }

    /// The report of the tenant `uid` is told now, or never: what it has to say of a reconcile before.
    pub(crate) fn release_report(&self, uid: &str) -> Option<ReconcileStatus> {
        self.tenants.with(uid, |it| it.debounce.release())?
    }

    /// What the database held of the tenant `uid` a moment ago, if that was asked for `key`.
    pub(crate) fn inspected(&self, uid: &str, key: InspectionKey) -> Option<Inspected> {
        let fresh = self.intervals.inspection;
        self.tenants.with(uid, |it| it.inspection.get(key, fresh))?
    }

    /// Keeps what the database holds of the tenant `uid`, and drops what is good for nobody any more.
    pub(crate) fn keep_inspected(&self, uid: &str, key: InspectionKey, inspected: Inspected) {
        let fresh = self.intervals.inspection;
        let mut swept = self.swept.lock();
        if swept.is_none_or(|swept| swept.elapsed() > fresh) {
            self.tenants.each(|it| it.inspection.forget_stale(fresh));
            *swept = Some(Instant::now());
        }
        self.tenants
            .with(uid, |it| it.inspection.keep(key, inspected));
    }

    /// What the database holds of the tenant `uid` may be otherwise by now.
    pub(crate) fn forget_inspected(&self, uid: &str) {
        self.tenants.with(uid, |it| it.inspection.forget());
    }

    /// Remembers how the database and the bucket, if any, of the tenant `uid` were reached.
    pub(crate) fn reached(
        &self,
        uid: &str,
        connection: &AdminConnection,
        content: Option<(&'static str, &Content)>,
    ) {
        self.tenants.with(uid, |it| {
            it.connection = Some(connection.clone());
            it.content = content.map(|(name, content)| (name, content.clone()));
        });
    }

    /// How the database of the tenant `uid` was last reached.
    pub(crate) fn connection(&self, uid: &str) -> Option<AdminConnection> {
        self.tenants.with(uid, |it| it.connection.clone())?
    }

    /// The bucket of the tenant `uid`, as it was last reached.
    pub(crate) fn content(&self, uid: &str) -> Option<(&'static str, Content)> {
        self.tenants.with(uid, |it| it.content.clone())?
    }
}

impl AsRef<Memories<DocumentTenant>> for TenantMemories {
    fn as_ref(&self) -> &Memories<DocumentTenant> {
        &self.tenants
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::validated_tenant::example::{connection, content};
    use serde_json::json;

    fn tenant() -> DocumentTenant {
        serde_json::from_value(json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "namespace": "acme", "uid": "u", "resourceVersion": "1"},
            "spec": {"clients": [], "database": {"secretRef": {"name": "d"}},
                "workloads": {"documents": {"storage": {"s3": {"bucket": "b", "endpoint": "http://s", "secretRef": {"name": "s"}}}}}},
        }))
        .expect("a tenant")
    }

    #[test]
    fn nothing_is_kept_of_a_tenant_that_is_gone_however_it_went() {
        let memories = TenantMemories::default();
        memories.take(&Event::Apply(tenant()));
        memories.reached("u", &connection(), Some(("documents", &content())));
        assert!(memories.connection("u").is_some() && memories.content("u").is_some());
        memories.take(&Event::Delete(tenant()));
        assert!(memories.connection("u").is_none() && memories.content("u").is_none());
        // A reconcile that had begun before ends.
        memories.reached("u", &connection(), Some(("documents", &content())));
        assert!(memories.connection("u").is_none() && memories.content("u").is_none());
    }

    #[test]
    fn a_tenant_that_succeeded_is_tried_again_as_soon_as_at_first() {
        let memories = TenantMemories::default();
        memories.take(&Event::Apply(tenant()));
        let memories = memories.as_ref();
        for _ in 0..10 {
            memories.failed("u");
        }
        assert!(memories.failed("u") > Duration::from_secs(1));
        memories.succeeded("u");
        assert!(memories.failed("u") < Duration::from_secs(1));
    }

    #[test]
    fn our_own_write_is_the_newest_until_the_watch_brings_it() {
        let memories = TenantMemories::default();
        memories.take(&Event::Apply(tenant()));
        let watched = Identified::new(Arc::new(tenant())).expect("it has an identity");
        let mut written = tenant();
        written.metadata.resource_version = Some("2".into());
        let newest = memories.as_ref().wrote(&watched, written.clone());
        assert_eq!(newest.metadata.resource_version.as_deref(), Some("2"));
        let newest = |tenant| memories.newest(tenant).metadata.resource_version.clone();
        assert_eq!(newest(watched.clone()).as_deref(), Some("2"));
        memories.take(&Event::Apply(written));
        assert_eq!(newest(watched).as_deref(), Some("1"), "it is forgotten");
    }

    #[tokio::test]
    async fn everybody_who_waits_for_all_tenants_is_told_that_they_are_there() {
        let memory = TenantMemories::default();
        let waiting = [0; 3].map(|_| {
            let mut listed = memory.listed();
            tokio::spawn(async move { listed.wait_for(|listed| *listed).await.is_ok() })
        });
        // Each of them waits by now.
        tokio::task::yield_now().await;
        memory.take(&Event::Init);
        memory.take(&Event::InitDone);
        for waits in waiting {
            assert!(waits.await.expect("no panic"));
        }
    }
}

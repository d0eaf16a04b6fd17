//! Wires watches to reconciles.

mod streams;

use std::sync::Arc;

use docket_crds::DocumentTenant;
use futures::StreamExt;
use kube::runtime::Controller;
use kube::runtime::controller::{self, Action};
use kube::runtime::reflector::Store;

use self::streams::{WatchEach, pod_events, referenced_secret_events, tenant_of, tenants};
use crate::cache::caches::Caches;
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::referenced_secrets::ReferencedSecrets;
use crate::cache::tenant_index::TenantIndex;
use crate::context::Context;
use crate::error::Error;
use crate::identified::{Identified, namespace_and_name};
use crate::memory::TenantMemories;
use crate::reconcile::reconcile;
use crate::scope::Scope;

/// The watches that a controller needs, and the caches that they fill.
pub struct Watches {
    /// What the watches have brought so far.
    pub caches: Caches,
    /// The tenants.
    pub tenants: Store<DocumentTenant>,
    /// Which of the kinds that a cluster may lack it has.
    pub optional: OptionalKinds,
    /// The Secrets that tenants name.
    pub referenced_secrets: ReferencedSecrets,
    controller: Controller<DocumentTenant>,
}

impl Watches {
    /// Sets up the watches; they start when [`Watches::run`] is polled.
    #[must_use]
    pub fn new(scope: &Scope, concurrency: u16, memory: Arc<TenantMemories>) -> Self {
        let by_namespace = TenantIndex::default();
        let (tenants, tenant_events) = tenants(scope, by_namespace.clone(), memory);
        let config = controller::Config::default().concurrency(concurrency);
        let controller = Controller::for_stream(tenant_events, tenants.clone()).with_config(config);
        let (caches, optional) = (Caches::default(), OptionalKinds::unknown());
        let children = caches.each_kind(WatchEach {
            scope,
            optional: &optional,
            controller,
        });
        let referenced_secrets = ReferencedSecrets::default();
        let named_in = tenants.clone();
        let controller = children
            .controller
            .watches_stream(pod_events(scope, caches.pods.clone()), |pod| {
                tenant_of(&pod)
            })
            .watches_stream(
                referenced_secret_events(scope, referenced_secrets.clone()),
                move |secret| {
                    let named = namespace_and_name(&secret);
                    named.map_or_else(Vec::new, |(namespace, name)| {
                        by_namespace.that_name(&namespace, &name, &named_in)
                    })
                },
            );
        Self {
            caches,
            tenants,
            optional,
            referenced_secrets,
            controller,
        }
    }

    /// Reconciles until `stop` resolves; what was begun is finished.
    pub async fn run(
        self,
        ctx: Arc<Context>,
        stop: impl Future<Output = ()> + Send + Sync + 'static,
    ) {
        self.controller
            .reconcile_on(ctx.recheck.tenants())
            .graceful_shutdown_on(stop)
            .run(reconcile, retry, ctx)
            // What fails is logged where it fails: by `retry` and by the watches.
            .for_each(|_| async {})
            .await;
    }
}

fn retry(tenant: Arc<DocumentTenant>, error: &Error, ctx: Arc<Context>) -> Action {
    let Some(tenant) = Identified::new(tenant) else {
        return Action::await_change();
    };
    let wait = ctx.memory.failed(tenant.uid());
    tracing::warn!(
        docket.tenant = tenant.name(),
        k8s.namespace.name = tenant.namespace(),
        %error,
        retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        "reconcile failed"
    );
    Action::requeue(wait)
}

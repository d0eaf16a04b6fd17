//! Wires watches to reconciles.

mod any_kind;
mod streams;

use std::sync::Arc;

use docket_crds::DocumentTenant;
use kube::runtime::Controller;
use kube::runtime::reflector::Store;

use self::any_kind::{controller_of, run};
use self::streams::{WatchEach, pod_events, tenant_of};
use crate::cache::caches::Caches;
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::referenced_secrets::ReferencedSecrets;
use crate::context::Context;
use crate::memory::TenantMemories;
use crate::scope::Scope;

/// The controller of the tenants, and the caches that its watches fill.
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
        let (caches, optional) = (Caches::default(), OptionalKinds::unknown());
        let referenced_secrets = ReferencedSecrets::default();
        let (tenants, controller) =
            controller_of(scope, concurrency, memory.clone(), &referenced_secrets);
        let children = caches.each_kind(WatchEach {
            listed: memory.listed(),
            owners: Arc::new(move |uid| memory.is_known(uid)),
            scope,
            optional: &optional,
            controller,
        });
        let pods = pod_events(scope, caches.pods.clone());
        let controller = children
            .controller
            .watches_stream(pods, |pod| tenant_of(&pod));
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
        let recheck = ctx.recheck.clone();
        run(self.controller, &recheck, ctx, stop).await;
    }
}

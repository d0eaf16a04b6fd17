//! Wires watches to reconciles.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use docket_crds::{DocumentTenant, labels};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{self, Action};
use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::watcher::Event;
use kube::runtime::{Controller, PredicateConfig, WatchStreamExt, watcher};

use crate::cache::caches::{Caches, EachKind};
use crate::cache::child::Child;
use crate::cache::object_cache::ObjectCache;
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::pods::{self, Pods};
use crate::cache::presence::{INTERVAL, while_there};
use crate::cache::referenced_secrets::ReferencedSecrets;
use crate::cache::tenant_index::TenantIndex;
use crate::cache::without_status::without_status;
use crate::context::Context;
use crate::error::Error;
use crate::identified::{Identified, namespace_and_name};
use crate::memory::TenantMemories;
use crate::reconcile::reconcile;
use crate::scope::Scope;

/// Objects of a first list that are in memory at once, for each kind.
const PAGE: u32 = 50;

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

type Events<K> = std::pin::Pin<Box<dyn Stream<Item = Result<K, watcher::Error>> + Send>>;

/// The objects that carry our label, or with `!=` those that do not.
fn that_are(ours: &str) -> watcher::Config {
    let labels = format!("{}{ours}{}", labels::MANAGED_BY, labels::DOCKET);
    watcher::Config::default().page_size(PAGE).labels(&labels)
}

/// Lets the objects of every kind of child bring their tenants back.
struct WatchEach<'a> {
    scope: &'a Scope,
    optional: &'a OptionalKinds,
    controller: Controller<DocumentTenant>,
}

impl EachKind for WatchEach<'_> {
    fn kind<K: Child>(self, kept: &ObjectCache<K>) -> Self {
        let events = watched(self.scope, kept, self.optional);
        let mut controller = self.controller.owns_stream(events);
        if let Some(presence) = K::presence(self.optional) {
            controller = controller.reconcile_all_on(presence.changes());
        }
        Self { controller, ..self }
    }
}

/// Watches the objects of a kind that carry our label, and keeps them.
fn watched<K: Child>(scope: &Scope, kept: &ObjectCache<K>, optional: &OptionalKinds) -> Events<K> {
    let (watched, feed) = (scope.clone(), kept.clone());
    let watch = move || fed(&watched, &feed);
    let events = match K::presence(optional) {
        Some(presence) => while_there(scope.client(), INTERVAL, presence.clone(), watch).boxed(),
        None => watch().boxed(),
    };
    match K::STATUS_MATTERS {
        true => events.touched_objects().boxed(),
        false => without_status(events.modify(K::take_status)).boxed(),
    }
}

/// What a watch brings, taken into `kept` first; what a new list lacks follows as deleted, since its
/// tenant must look again.
fn fed<K: Child>(
    scope: &Scope,
    kept: &ObjectCache<K>,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send + use<K> {
    let feed = kept.clone();
    watcher(scope.api::<K>(), that_are("="))
        .default_backoff()
        .modify(|object| object.meta_mut().managed_fields = None)
        .flat_map(move |event| {
            let gone = event
                .as_ref()
                .map_or_else(|_| Vec::new(), |event| feed.take(event));
            let gone = gone.into_iter().map(|object| Ok(Event::Delete(object)));
            stream::iter(std::iter::once(event).chain(gone))
        })
}

/// Watches the tenants, into a store; what changes nothing but a status is no reason to look again.
fn tenants(
    scope: &Scope,
    by_namespace: TenantIndex,
    memory: Arc<TenantMemories>,
) -> (
    Store<DocumentTenant>,
    impl Stream<Item = Result<DocumentTenant, watcher::Error>> + Send + use<>,
) {
    let (reader, writer) = store();
    let events = watcher(
        scope.api::<DocumentTenant>(),
        watcher::Config::default().page_size(PAGE),
    )
    .default_backoff()
    .modify(|tenant| tenant.metadata.managed_fields = None)
    .inspect_ok(move |event| {
        by_namespace.take(event);
        memory.take(event);
    })
    .reflect(writer)
    .applied_objects()
    .predicate_filter(asked_for, PredicateConfig::default());
    (reader, events)
}

/// What a user, or a deletion, changes of a tenant.
fn asked_for(tenant: &DocumentTenant) -> Option<u64> {
    let metadata = &tenant.metadata;
    let mut hasher = DefaultHasher::new();
    (
        metadata.generation,
        &metadata.annotations,
        &metadata.finalizers,
        metadata.deletion_timestamp.is_some(),
    )
        .hash(&mut hasher);
    Some(hasher.finish())
}

fn pod_events(
    scope: &Scope,
    pods: Pods,
) -> impl Stream<Item = Result<Pod, watcher::Error>> + Send + use<> {
    watcher(scope.api::<Pod>(), that_are("="))
        .default_backoff()
        .inspect_ok(move |event| pods.take(event))
        .touched_objects()
}

/// Any Secret may be one that a tenant names, so all are watched, without their data.
fn referenced_secret_events(
    scope: &Scope,
    secrets: ReferencedSecrets,
) -> impl Stream<Item = Result<PartialObjectMeta<Secret>, watcher::Error>> + Send + use<> {
    watcher(scope.api::<PartialObjectMeta<Secret>>(), that_are("!="))
        .default_backoff()
        .inspect_ok(move |event| secrets.take(event))
        .touched_objects()
}

fn tenant_of(pod: &Pod) -> Option<ObjectRef<DocumentTenant>> {
    let (namespace, name) = pods::owner(pod)?;
    Some(ObjectRef::new(&name).within(&namespace))
}

#[cfg(test)]
mod tests;

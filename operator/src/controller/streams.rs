//! What the watches bring, and where it goes before a tenant is looked at.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use docket_crds::{DocumentTenant, labels};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::watcher::Event;
use kube::runtime::{Controller, PredicateConfig, WatchStreamExt, watcher};

use crate::cache::caches::EachKind;
use crate::cache::child::Child;
use crate::cache::namespace_index::NamespaceIndex;
use crate::cache::object_cache::ObjectCache;
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::pods::{self, Pods};
use crate::cache::presence::{INTERVAL, while_there};
use crate::cache::referenced_secrets::ReferencedSecrets;
use crate::cache::without_status::without_status;
use crate::memory::Memories;
use crate::reconciled_kind::ReconciledKind;
use crate::scope::Scope;

/// Objects of a first list that are in memory at once, for each kind.
const PAGE: u32 = 50;

type Events<K> = BoxStream<'static, Result<K, watcher::Error>>;

/// The objects that carry our label, or with `!=` those that do not.
fn that_are(ours: &str) -> watcher::Config {
    let labels = format!("{}{ours}{}", labels::MANAGED_BY, labels::DOCKET);
    watcher::Config::default().page_size(PAGE).labels(&labels)
}

/// Lets the objects of every kind of child bring their owners of the kind `K` back.
pub(super) struct WatchEach<'a, K: ReconciledKind> {
    pub(super) scope: &'a Scope,
    pub(super) optional: &'a OptionalKinds,
    pub(super) controller: Controller<K>,
}

impl<K: ReconciledKind> EachKind for WatchEach<'_, K> {
    fn kind<C: Child>(self, kept: &ObjectCache<C>) -> Self {
        let events = watched(self.scope, kept, self.optional);
        let mut controller = self.controller.owns_stream(events);
        if let Some(presence) = C::presence(self.optional) {
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
    scope
        .watch::<K>(&that_are("="))
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

/// Watches the objects of a kind, into a store; what changes nothing but a status is no reason to look again.
pub(super) fn objects<K: ReconciledKind, M: AsRef<Memories<K>> + Send + Sync + 'static>(
    scope: &Scope,
    by_namespace: NamespaceIndex,
    memories: Arc<M>,
) -> (
    Store<K>,
    impl Stream<Item = Result<K, watcher::Error>> + Send + use<K, M>,
) {
    let (reader, writer) = store();
    let config = watcher::Config::default().page_size(PAGE);
    let events = scope
        .watch::<K>(&config)
        .default_backoff()
        .modify(|object: &mut K| object.meta_mut().managed_fields = None)
        .inspect_ok(move |event| {
            by_namespace.take(event);
            (*memories).as_ref().take(event);
        })
        .reflect(writer)
        .applied_objects()
        .predicate_filter(asked_for, PredicateConfig::default());
    (reader, events)
}

/// What a user, or a deletion, changes of an object.
fn asked_for<K: ReconciledKind>(object: &K) -> Option<u64> {
    let metadata = object.meta();
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

/// The pods of all tenants, taken into `pods` first.
pub(super) fn pod_events(
    scope: &Scope,
    pods: Pods,
) -> impl Stream<Item = Result<Pod, watcher::Error>> + Send + use<> {
    scope
        .watch::<Pod>(&that_are("="))
        .default_backoff()
        .inspect_ok(move |event| pods.take(event))
        .touched_objects()
}

/// Any Secret may be one that a tenant names, so all are watched, without their data.
pub(super) fn referenced_secret_events(
    scope: &Scope,
    secrets: ReferencedSecrets,
) -> impl Stream<Item = Result<PartialObjectMeta<Secret>, watcher::Error>> + Send + use<> {
    scope
        .watch::<PartialObjectMeta<Secret>>(&that_are("!="))
        .default_backoff()
        .inspect_ok(move |event| secrets.take(event))
        .touched_objects()
}

/// The tenant that a pod is of.
pub(super) fn tenant_of(pod: &Pod) -> Option<ObjectRef<DocumentTenant>> {
    let (namespace, name) = pods::owner(pod)?;
    Some(ObjectRef::new(&name).within(&namespace))
}

#[cfg(test)]
mod tests;

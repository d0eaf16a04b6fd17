//! What the watches bring, and where it goes before a tenant is looked at.

use std::future::ready;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use docket_crds::{DocumentTenant, labels};
use futures::stream::BoxStream;
use futures::{FutureExt as _, Stream, StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store, store};
use kube::runtime::watcher::Event;
use kube::runtime::{Controller, PredicateConfig, WatchStreamExt, watcher};
use tokio::sync::watch;

use crate::cache::caches::EachKind;
use crate::cache::child::Child;
use crate::cache::namespace_index::NamespaceIndex;
use crate::cache::object_cache::ObjectCache;
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::owned::{Owners, that_are_owned};
use crate::cache::pods::{self, Pods};
use crate::cache::presence::{INTERVAL, while_there};
use crate::cache::referenced_secrets::ReferencedSecrets;
use crate::cache::without_status::without_status;
use crate::memory::Memories;
use crate::reconciled_kind::ReconciledKind;
use crate::scope::Scope;

/// Objects of a first list that are in memory at once, of what is no child.
const PAGE: u32 = 50;

type Events<K> = BoxStream<'static, Result<K, watcher::Error>>;

/// The objects that carry our label, or with `!=` those that do not.
fn that_are(ours: &str, page: u32) -> watcher::Config {
    let labels = format!("{}{ours}{}", labels::MANAGED_BY, labels::DOCKET);
    watcher::Config::default().page_size(page).labels(&labels)
}

/// Lets the objects of every kind of child bring their owners of the kind `K` back. Those of nobody who is known are
/// not kept, so children are listed once it is known who there is.
pub(super) struct WatchEach<'a, K: ReconciledKind> {
    pub(super) listed: watch::Receiver<bool>,
    pub(super) owners: Owners,
    pub(super) scope: &'a Scope,
    pub(super) optional: &'a OptionalKinds,
    pub(super) controller: Controller<K>,
}

impl<K: ReconciledKind> EachKind for WatchEach<'_, K> {
    fn kind<C: Child>(self, kept: &ObjectCache<C>) -> Self {
        let events = self.watched(kept);
        let mut controller = self.controller.owns_stream(events);
        if let Some(presence) = C::presence(self.optional) {
            controller = controller.reconcile_all_on(presence.changes());
        }
        Self { controller, ..self }
    }
}

impl<K: ReconciledKind> WatchEach<'_, K> {
    /// Watches the objects of a kind that carry our label, and keeps them.
    fn watched<C: Child>(&self, kept: &ObjectCache<C>) -> Events<C> {
        let (scope, feed) = (self.scope.clone(), kept.clone());
        let (listed, owners) = (self.listed.clone(), self.owners.clone());
        let watch = move || {
            let (mut listed, fed) = (listed.clone(), fed(&scope, &feed, owners.clone()));
            // Without its sender nobody keeps anything any more.
            let listed = async move { listed.wait_for(|listed| *listed).await.is_ok() };
            listed.map(|_| fed).flatten_stream()
        };
        let events = match C::presence(self.optional) {
            Some(presence) => {
                let client = self.scope.client();
                while_there(client, INTERVAL, presence.clone(), watch).boxed()
            }
            None => watch().boxed(),
        };
        match C::STATUS_MATTERS {
            true => events.touched_objects().boxed(),
            false => without_status(events.modify(C::take_status)).boxed(),
        }
    }
}

/// What a watch brings of the objects of `owners`, taken into `kept` first; what a new list lacks follows as deleted,
/// since its tenant must look again.
fn fed<C: Child>(
    scope: &Scope,
    kept: &ObjectCache<C>,
    owners: Owners,
) -> impl Stream<Item = watcher::Result<Event<C>>> + Send + use<C> {
    let feed = kept.clone();
    scope
        .watch::<C>(&that_are("=", C::PAGE))
        .default_backoff()
        .modify(|object| object.meta_mut().managed_fields = None)
        .try_filter_map(move |event| ready(Ok(that_are_owned(event, &owners))))
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
        .watch::<Pod>(&that_are("=", PAGE))
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
        .watch::<PartialObjectMeta<Secret>>(&that_are("!=", PAGE))
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

//! The controller of a kind of custom resource, whichever that is.

use std::sync::Arc;

use futures::StreamExt;
use kube::runtime::Controller;
use kube::runtime::controller::{self, Action};
use kube::runtime::reflector::Store;

use super::streams::{objects, referenced_secret_events};
use crate::cache::namespace_index::NamespaceIndex;
use crate::cache::referenced_secrets::ReferencedSecrets;
use crate::error::Error;
use crate::identified::{Identified, namespace_and_name};
use crate::memory::Memories;
use crate::recheck::Recheck;
use crate::reconcile::reconcile;
use crate::reconciled_kind::ReconciledKind;
use crate::scope::Scope;

/// The objects of a kind, and a controller that they and the Secrets that they name bring to them.
pub(super) fn controller_of<K: ReconciledKind>(
    scope: &Scope,
    concurrency: u16,
    memories: Arc<impl AsRef<Memories<K>> + Send + Sync + 'static>,
    referenced_secrets: &ReferencedSecrets,
) -> (Store<K>, Controller<K>) {
    let by_namespace = NamespaceIndex::default();
    let (objects, events) = objects(scope, by_namespace.clone(), memories);
    let config = controller::Config::default().concurrency(concurrency);
    let named_in = objects.clone();
    let secrets = referenced_secret_events(scope, referenced_secrets.clone());
    let controller = Controller::for_stream(events, objects.clone())
        .with_config(config)
        .watches_stream(secrets, move |secret| {
            let named = namespace_and_name(&secret);
            named.map_or_else(Vec::new, |(namespace, name)| {
                by_namespace.that_name(&namespace, &name, &named_in)
            })
        });
    (objects, controller)
}

/// Reconciles the objects of a kind until `stop` resolves; what was begun is finished.
pub(super) async fn run<K: ReconciledKind>(
    controller: Controller<K>,
    recheck: &Recheck,
    ctx: Arc<K::Context>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    controller
        .reconcile_on(recheck.objects())
        .graceful_shutdown_on(stop)
        .run(reconcile, retry, ctx)
        // What fails is logged where it fails: by `retry` and by the watches.
        .for_each(|_| async {})
        .await;
}

fn retry<K: ReconciledKind>(object: Arc<K>, error: &Error, ctx: Arc<K::Context>) -> Action {
    let Some(object) = Identified::new(object) else {
        return Action::await_change();
    };
    let wait = K::shared(&ctx).memories.failed(object.uid());
    tracing::warn!(
        k8s.object.kind = &*K::kind(&()),
        k8s.object.name = object.name(),
        k8s.namespace.name = object.namespace(),
        %error,
        retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        "reconcile failed"
    );
    Action::requeue(wait)
}

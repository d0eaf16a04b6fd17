//! What keeps a deleted object until what it leaves was dealt with.

use docket_crds::names::OPERATOR_FIELD_MANAGER;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::error::Result;
use crate::identified::Identified;
use crate::reconciled_kind::ReconciledKind;
use crate::server_side_apply::applying;

/// Whether the object has our finalizer.
pub(super) fn is_on<K: ReconciledKind>(object: &Identified<K>) -> bool {
    object.finalizers().iter().any(|it| it == K::FINALIZER)
}

/// Adds it where it is missing.
pub(super) async fn ensure<K: ReconciledKind>(
    object: Identified<K>,
    ctx: &K::Context,
) -> Result<Identified<K>> {
    if is_on(&object) {
        return Ok(object);
    }
    // The uid makes the patch fail for an object that was deleted and created anew meanwhile.
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"uid": object.uid(), "finalizers": [K::FINALIZER]},
    });
    let params = applying(OPERATOR_FIELD_MANAGER);
    let written = patched(&object, &params, &Patch::Apply(patch), ctx).await?;
    Ok(K::shared(ctx).memories.wrote(&object, written))
}

/// Removes it: the object goes.
pub(super) async fn remove<K: ReconciledKind>(
    object: &Identified<K>,
    ctx: &K::Context,
) -> Result<()> {
    let others = object.finalizers().iter().filter(|it| *it != K::FINALIZER);
    let patch = json!({
        "metadata": {
            "resourceVersion": object.resource_version(),
            "finalizers": others.collect::<Vec<_>>(),
        },
    });
    patched(object, &PatchParams::default(), &Patch::Merge(patch), ctx).await?;
    Ok(())
}

async fn patched<K: ReconciledKind>(
    object: &Identified<K>,
    params: &PatchParams,
    patch: &Patch<serde_json::Value>,
    ctx: &K::Context,
) -> kube::Result<K> {
    let shared = K::shared(ctx);
    let api: Api<K> = Api::namespaced(shared.client.clone(), object.namespace());
    shared.metrics.wrote(&K::kind(&()), "patch");
    api.patch(object.name(), params, patch).await
}

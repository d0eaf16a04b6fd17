//! Writes an object's status, or the part of it that one field manager owns.

use kube::Api;
use kube::api::Patch;
use serde::Serialize;
use serde_json::json;

use crate::identified::Identified;
use crate::reconciled_kind::ReconciledKind;
use crate::server_side_apply::applying;

/// Applies `status` as `manager`, and returns the object as it is now.
pub(crate) async fn apply_status<K: ReconciledKind>(
    object: &Identified<K>,
    status: &impl Serialize,
    manager: &str,
    ctx: &K::Context,
) -> Result<Identified<K>, kube::Error> {
    let shared = K::shared(ctx);
    // The uid makes the patch fail for an object that was deleted and created anew meanwhile.
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"uid": object.uid()},
        "status": status,
    });
    let api: Api<K> = Api::namespaced(shared.client.clone(), object.namespace());
    shared.metrics.wrote(&K::kind(&()), "status");
    let written = api
        .patch_status(object.name(), &applying(manager), &Patch::Apply(patch))
        .await?;
    Ok(shared.memories.wrote(object, written))
}

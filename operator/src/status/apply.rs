//! Writes a tenant's status, or the part of it that one field manager owns.

use docket_crds::DocumentTenant;
use kube::Api;
use kube::api::Patch;
use serde::Serialize;
use serde_json::json;

use crate::context::Context;
use crate::identified::Identified;
use crate::server_side_apply::applying;

/// Applies `status` as `manager`, and returns the tenant as it is now.
pub(crate) async fn apply_status(
    tenant: &Identified<DocumentTenant>,
    status: &impl Serialize,
    manager: &str,
    ctx: &Context,
) -> Result<Identified<DocumentTenant>, kube::Error> {
    // The uid makes the patch fail for a tenant that was deleted and created anew meanwhile.
    let patch = json!({
        "apiVersion": "docket.dev/v1alpha1",
        "kind": "DocumentTenant",
        "metadata": {"uid": tenant.uid()},
        "status": status,
    });
    let api: Api<DocumentTenant> = Api::namespaced(ctx.client.clone(), tenant.namespace());
    ctx.metrics.wrote("DocumentTenant", "status");
    let written = api
        .patch_status(tenant.name(), &applying(manager), &Patch::Apply(patch))
        .await?;
    Ok(ctx.memory.wrote(tenant, written))
}

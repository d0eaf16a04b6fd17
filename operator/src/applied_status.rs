//! Writes a tenant's status, or the part of it that one field manager owns.

use std::sync::Arc;

use docket_crds::DocumentTenant;
use kube::api::Patch;
use kube::{Api, ResourceExt};
use serde::Serialize;
use serde_json::json;

use crate::applying::applying;
use crate::context::Context;

/// Applies `status` as `manager`, and returns the tenant as it is now.
pub(crate) async fn apply_status(
    tenant: &DocumentTenant,
    status: &impl Serialize,
    manager: &str,
    ctx: &Context,
) -> Result<Arc<DocumentTenant>, kube::Error> {
    // The uid makes the patch fail for a tenant that was deleted and created anew meanwhile.
    let patch = json!({
        "apiVersion": "docket.dev/v1alpha1",
        "kind": "DocumentTenant",
        "metadata": {"uid": tenant.uid()},
        "status": status,
    });
    let api: Api<DocumentTenant> =
        Api::namespaced(ctx.client.clone(), &tenant.namespace().unwrap_or_default());
    ctx.metrics.wrote("DocumentTenant", "status");
    let written = api
        .patch_status(&tenant.name_any(), &applying(manager), &Patch::Apply(patch))
        .await?;
    Ok(ctx.latest.wrote(written))
}

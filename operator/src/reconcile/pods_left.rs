//! Whether pods may still serve, as the API server lists them: no count of a controller, and no watch that may be behind,
//! tells of one that is ending.

use docket_crds::{DocumentTenant, labels};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;

use crate::context::Context;
use crate::error::Result;
use crate::identified::Identified;

/// Whether a pod of the tenant runs that is on its way out.
pub(super) async fn is_any_ending(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
) -> Result<bool> {
    let pods = running(tenant, &labels::of_tenant(tenant.name()), ctx).await?;
    let is_ending = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
    Ok(pods.iter().any(is_ending))
}

/// Whether a pod of one of `components` runs, whoever asked for it.
pub(super) async fn is_any_left(
    tenant: &Identified<DocumentTenant>,
    components: &[&str],
    ctx: &Context,
) -> Result<bool> {
    let (tenants, component) = (labels::of_tenant(tenant.name()), labels::COMPONENT);
    let selector = format!("{tenants},{component} in ({})", components.join(","));
    Ok(!running(tenant, &selector, ctx).await?.is_empty())
}

/// Those that have not run to their end.
async fn running(
    tenant: &Identified<DocumentTenant>,
    selector: &str,
    ctx: &Context,
) -> Result<Vec<Pod>> {
    let api: Api<Pod> = Api::namespaced(ctx.client.clone(), tenant.namespace());
    let mut pods = api
        .list(&ListParams::default().labels(selector))
        .await?
        .items;
    pods.retain(|pod| {
        let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
        !matches!(phase, Some("Succeeded" | "Failed"))
    });
    Ok(pods)
}

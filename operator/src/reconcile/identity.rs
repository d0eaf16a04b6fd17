//! What must be written before anything is created: the finalizer, and the names in Postgres.

use docket_crds::names::DATA_FINALIZER;
use docket_crds::names::OPERATOR_FIELD_MANAGER;
use docket_crds::{ClientStatus, DocumentTenant, DocumentTenantStatus};
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use super::report::{begun, write_status};
use crate::context::Context;
use crate::error::Result;
use crate::identified::Identified;
use crate::server_side_apply::applying;
use crate::validated_tenant::ValidatedTenant;

/// Adds the finalizer where it is missing.
pub(super) async fn ensure_finalizer(
    tenant: Identified<DocumentTenant>,
    ctx: &Context,
) -> Result<Identified<DocumentTenant>> {
    if tenant
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == DATA_FINALIZER)
    {
        return Ok(tenant);
    }
    let api = api(&tenant, ctx);
    // The uid makes the patch fail for a tenant that was deleted and created anew meanwhile.
    let patch = json!({
        "apiVersion": "docket.dev/v1alpha1",
        "kind": "DocumentTenant",
        "metadata": {"uid": tenant.uid(), "finalizers": [DATA_FINALIZER]},
    });
    let params = applying(OPERATOR_FIELD_MANAGER);
    ctx.metrics.wrote("DocumentTenant", "patch");
    let written = api
        .patch(tenant.name(), &params, &Patch::Apply(patch))
        .await?;
    Ok(ctx.memory.wrote(&tenant, written))
}

/// Removes the finalizer: the tenant goes.
pub(super) async fn remove_finalizer(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
) -> Result<()> {
    let rest: Vec<&String> = tenant
        .finalizers()
        .iter()
        .filter(|finalizer| *finalizer != DATA_FINALIZER)
        .collect();
    let patch = json!({
        "metadata": {"resourceVersion": tenant.resource_version(), "finalizers": rest},
    });
    ctx.metrics.wrote("DocumentTenant", "patch");
    api(tenant, ctx)
        .patch(tenant.name(), &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    Ok(())
}

/// Writes the names of new clients to status, so that cleanup needs nothing else; of a new tenant also
/// that it is seen.
pub(super) async fn record(
    tenant: Identified<DocumentTenant>,
    wanted: &ValidatedTenant,
    ctx: &Context,
) -> Result<Identified<DocumentTenant>> {
    let before = tenant.status.clone().unwrap_or_default();
    let mut clients = before.clients.clone();
    for client in &wanted.clients {
        if !clients.iter().any(|known| known.name == client.name) {
            clients.push(ClientStatus {
                name: client.name.clone(),
                schema: client.identity.schema.clone(),
                role: client.identity.role.clone(),
                retiring: None,
                schema_version: 0,
            });
        }
    }
    clients.sort_by(|a, b| a.name.cmp(&b.name));
    let status = DocumentTenantStatus {
        clients,
        ..begun(&tenant, before)
    };
    write_status(tenant, status, ctx).await
}

pub(super) fn api(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Api<DocumentTenant> {
    Api::namespaced(ctx.client.clone(), tenant.namespace())
}

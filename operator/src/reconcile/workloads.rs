//! Reads what the workloads of a tenant need, one line each.

pub(super) mod documents;

use docket_crds::DocumentTenant;

use crate::content::Content;
use crate::context::Context;
use crate::error::Result;
use crate::identified::Identified;
use crate::validated_tenant::Workloads;

/// The workloads that the spec names, with what their Secrets hold.
///
/// # Errors
/// A Secret that is not there, or cannot be used.
pub(super) async fn read(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<Workloads> {
    let documents = match &tenant.spec.workloads.documents {
        Some(spec) => Some(documents::read(tenant, spec, ctx).await?),
        None => None,
    };
    Ok(Workloads {
        documents,
        ..Workloads::default()
    })
}

/// What clients keep outside their database, for the tenant's cleanup; `None` where no workload does so.
///
/// # Errors
/// As of [`read`].
pub(super) async fn content(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
) -> Result<Option<Content>> {
    match &tenant.spec.workloads.documents {
        Some(spec) => documents::content(tenant, spec, ctx).await.map(Some),
        None => Ok(None),
    }
}

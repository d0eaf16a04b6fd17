//! Reads what the workloads of a tenant need, one line each.

mod documents;
mod page_views;

use docket_contract::ClientLimits;
use docket_crds::{Client, DocumentTenant};

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
    let page_views = tenant.spec.workloads.page_views.as_ref();
    Ok(Workloads::new(documents, page_views.map(page_views::read)))
}

/// What `client` may do with the workloads: what it has of its own, or else what each says for all.
pub(super) fn limits(client: Option<&Client>, workloads: &docket_crds::Workloads) -> ClientLimits {
    ClientLimits {
        documents: documents::limits(client, workloads.documents.as_ref()),
    }
}

/// What clients keep outside their database, by the workload, for the tenant's cleanup; `None` where no workload
/// that the spec names does so.
///
/// # Errors
/// As of [`read`].
pub(super) async fn content(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
) -> Result<Option<(&'static str, Content)>> {
    match &tenant.spec.workloads.documents {
        Some(spec) => {
            let content = documents::content(tenant, spec, ctx).await?;
            Ok(Some((docket_crds::DOCUMENTS, content)))
        }
        None => Ok(None),
    }
}

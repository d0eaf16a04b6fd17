//! Reads what the workloads of a tenant need, one line each.

mod documents;
mod page_views;

use docket_contract::ClientLimits;
use docket_crds::Client;

use super::named_secrets::NamedSecrets;
use crate::content::Content;
use crate::error::Result;
use crate::validated_tenant::Workloads;

/// The workloads that the spec names, with what their Secrets hold.
///
/// # Errors
/// A Secret that is not there, or cannot be used.
pub(super) async fn read(
    spec: &docket_crds::Workloads,
    secrets: &NamedSecrets<'_>,
) -> Result<Workloads> {
    let documents = match &spec.documents {
        Some(spec) => Some(documents::read(spec, secrets).await?),
        None => None,
    };
    let page_views = spec.page_views.as_ref();
    Ok(Workloads::new(documents, page_views.map(page_views::read)))
}

/// What `client` may do with the workloads: what it has of its own, or else what each says for all.
pub(super) fn limits(client: &Client, workloads: &docket_crds::Workloads) -> ClientLimits {
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
    spec: &docket_crds::Workloads,
    secrets: &NamedSecrets<'_>,
) -> Result<Option<(&'static str, Content)>> {
    match &spec.documents {
        Some(spec) => {
            let content = documents::content(spec, secrets).await?;
            Ok(Some((docket_crds::DOCUMENTS, content)))
        }
        None => Ok(None),
    }
}

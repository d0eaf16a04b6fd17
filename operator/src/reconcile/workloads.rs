//! Reads what the workloads of a tenant need, one line each.

pub(super) mod documents;

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
    spec: &docket_crds::Workloads,
    secrets: &NamedSecrets<'_>,
) -> Result<Option<Content>> {
    match &spec.documents {
        Some(spec) => documents::content(spec, secrets).await.map(Some),
        None => Ok(None),
    }
}

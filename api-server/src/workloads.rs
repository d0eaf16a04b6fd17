//! The workloads that this program serves: one line each.

use std::sync::Arc;

use docket_documents::Documents;
use docket_platform::Platform;
use docket_platform::workload::Workload;

use crate::Settings;

/// Names of those below, in the same order.
pub(crate) const NAMES: [&str; 1] = [docket_documents::NAME];

/// Those of the tenant.
///
/// # Errors
/// When what the tenant wants of one makes no sense.
pub(crate) fn all(
    platform: &Platform,
    settings: &Settings,
) -> anyhow::Result<Vec<Arc<dyn Workload>>> {
    Ok(vec![Arc::new(Documents::new(
        platform,
        settings.documents()?,
    )?)])
}

//! The workloads that this program serves: one line each.

use std::sync::Arc;

use crate::Settings;
use crate::documents::Documents;
use crate::platform::Platform;
use crate::workload::Workload;

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

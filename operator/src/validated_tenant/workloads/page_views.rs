//! Page views of a tenant, in every detail that is its own.

use docket_contract::PageViewsConfig;

use super::Publication;

/// Page views of a tenant as they should be.
#[derive(Clone, Debug)]
pub struct PageViews {
    /// Whose pages tell of views.
    pub origins: Vec<String>,
    /// Days that each view is kept.
    pub retention_days: u32,
    /// Whether reads of documents are counted.
    pub documents: bool,
}

impl PageViews {
    /// Where its routes stand beside `/clients`.
    pub(crate) const ROOT_PREFIXES: [&'static str; 2] = ["/api/p3", "/p3/api/p3"];

    pub(super) fn config(&self) -> PageViewsConfig {
        PageViewsConfig {
            origins: self.origins.clone(),
            retention_days: self.retention_days,
            documents: self.documents,
        }
    }

    /// Pages tell of views, if there are any that may.
    pub(crate) fn publication(&self) -> Option<Publication> {
        (!self.origins.is_empty()).then(|| Publication {
            workload: docket_crds::PAGE_VIEWS,
            scope: "page-views:write",
            origins: self.origins.clone(),
        })
    }
}

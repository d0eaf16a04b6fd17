//! What page views need of the spec.

use docket_crds::PageViewsWorkload;

use crate::validated_tenant::PageViews;

/// As the spec has it: nothing is to be read.
pub(super) fn read(spec: &PageViewsWorkload) -> PageViews {
    PageViews {
        origins: spec.origins.clone(),
        // The schema accepts none below 1.
        retention_days: spec.retention_days.unsigned_abs(),
        documents: spec.documents,
    }
}

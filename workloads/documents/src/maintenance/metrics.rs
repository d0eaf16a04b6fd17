//! `docket_maintenance_purged_documents_total`, `docket_maintenance_swept_objects_total`.

use opentelemetry::metrics::Counter;

/// Documents that ended after their time in the trash.
pub(super) fn purged() -> Counter<u64> {
    counter(
        "docket_maintenance_purged_documents_total",
        "Documents that ended after their time in the trash",
    )
}

/// Objects removed because nothing referred to them.
pub(super) fn swept() -> Counter<u64> {
    counter(
        "docket_maintenance_swept_objects_total",
        "Objects removed because nothing referred to them",
    )
}

fn counter(name: &'static str, description: &'static str) -> Counter<u64> {
    let meter = opentelemetry::global::meter("docket");
    let counter = meter.u64_counter(name);
    counter.with_description(description).build()
}

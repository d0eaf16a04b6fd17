//! `docket_maintenance_runs_total{task, outcome}`, `docket_maintenance_purged_documents_total`,
//! `docket_maintenance_swept_objects_total`.

use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;

#[derive(Debug)]
pub(crate) struct Metrics {
    runs: Counter<u64>,
    purged: Counter<u64>,
    swept: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = opentelemetry::global::meter("docket");
        let counter = |name, description| {
            let counter = meter.u64_counter(name);
            counter.with_description(description).build()
        };
        Self {
            runs: counter(
                "docket_maintenance_runs_total",
                "Tasks that the server did by itself",
            ),
            purged: counter(
                "docket_maintenance_purged_documents_total",
                "Documents that ended after their time in the trash",
            ),
            swept: counter(
                "docket_maintenance_swept_objects_total",
                "Objects removed because nothing referred to them",
            ),
        }
    }

    pub(super) fn ran(&self, task: &'static str, is_done: bool) {
        let outcome = if is_done { "done" } else { "failed" };
        let labels = [
            KeyValue::new("task", task),
            KeyValue::new("outcome", outcome),
        ];
        self.runs.add(1, &labels);
    }

    pub(super) fn purged(&self, documents: u64) {
        self.purged.add(documents, &[]);
    }

    pub(super) fn swept(&self, objects: u64) {
        self.swept.add(objects, &[]);
    }
}

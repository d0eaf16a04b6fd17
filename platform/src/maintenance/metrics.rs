//! `docket_maintenance_runs_total{task, outcome}`.

use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;

#[derive(Debug)]
pub(super) struct Metrics {
    runs: Counter<u64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = opentelemetry::global::meter("docket");
        let runs = meter.u64_counter("docket_maintenance_runs_total");
        Self {
            runs: runs
                .with_description("Tasks that the server did by itself")
                .build(),
        }
    }

    pub(super) fn ran(&self, task: &'static str, outcome: &'static str) {
        let labels = [
            KeyValue::new("task", task),
            KeyValue::new("outcome", outcome),
        ];
        self.runs.add(1, &labels);
    }
}

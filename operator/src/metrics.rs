//! What the operator counts of itself.

use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};

/// The operator's own metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    reconciles: Counter<u64>,
    duration: Histogram<f64>,
    writes: Counter<u64>,
    statements: Counter<u64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let meter = global::meter("docket-operator");
        Self {
            reconciles: meter
                .u64_counter("docket_operator_reconciles_total")
                .with_description("Reconciles, by how they ended")
                .build(),
            duration: meter
                .f64_histogram("docket_operator_reconcile_duration_seconds")
                .with_description("How long reconciles took, in seconds")
                .with_boundaries(docket_instrumentation::LATENCY_BUCKETS.to_vec())
                .build(),
            writes: meter
                .u64_counter("docket_operator_writes_total")
                .with_description("Requests to the API server that write, by kind and verb")
                .build(),
            statements: meter
                .u64_counter("docket_operator_sql_transactions_total")
                .with_description("Transactions that change a database, by operation")
                .build(),
        }
    }
}

impl Metrics {
    /// A reconcile ended with `result`: `ok`, or an error's category.
    pub fn reconciled(&self, result: &'static str, took: Duration) {
        let labels = [KeyValue::new("result", result)];
        self.reconciles.add(1, &labels);
        self.duration.record(took.as_secs_f64(), &labels);
    }

    /// The API server was asked to write an object of `kind`.
    pub fn wrote(&self, kind: &str, verb: &'static str) {
        self.writes.add(
            1,
            &[
                KeyValue::new("kind", kind.to_owned()),
                KeyValue::new("verb", verb),
            ],
        );
    }

    /// A database was asked to change.
    pub fn ran_sql(&self, operation: &'static str) {
        self.statements
            .add(1, &[KeyValue::new("operation", operation)]);
    }
}

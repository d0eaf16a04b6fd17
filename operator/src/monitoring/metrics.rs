//! What the operator counts of itself.

use std::time::Duration;

use docket_crds::DocumentTenant;
use kube::runtime::reflector::Store;
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::{KeyValue, global};

use crate::error::PANICKED;
use crate::leadership::fence::Fence;

/// The operator's own metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    reconciles: Counter<u64>,
    duration: Histogram<f64>,
    writes: Counter<u64>,
    statements: Counter<u64>,
    left_out: Gauge<u64>,
    refused_deletions: Counter<u64>,
}

/// Shows whether `fence` lets this process write: 1 for the holder of the Lease, 0 for who waits for it.
pub fn observe_leadership(fence: Fence) {
    global::meter(docket_crds::names::OPERATOR)
        .u64_observable_gauge("docket_operator_leader")
        .with_description("Whether this operator holds the Lease")
        .with_callback(move |gauge| gauge.observe(u64::from(fence.check().is_ok()), &[]))
        .build();
}

/// Shows how many of `tenants` have a spec that no reconcile has come to yet.
pub fn observe_queue(tenants: Store<DocumentTenant>) {
    global::meter(docket_crds::names::OPERATOR)
        .u64_observable_gauge("docket_operator_tenants_waiting")
        .with_description("Tenants whose current spec no reconcile has come to yet")
        .with_callback(move |gauge| {
            let waiting = tenants.state().iter().filter(|it| is_waiting(it)).count();
            gauge.observe(u64::try_from(waiting).unwrap_or(u64::MAX), &[]);
        })
        .build();
}

fn is_waiting(tenant: &DocumentTenant) -> bool {
    let seen = tenant.status.as_ref().and_then(|it| it.observed_generation);
    !tenant.spec.paused && seen != tenant.metadata.generation
}

impl Default for Metrics {
    fn default() -> Self {
        let meter = global::meter(docket_crds::names::OPERATOR);
        let reconciles = meter
            .u64_counter("docket_operator_reconciles_total")
            .with_description("Reconciles, by how they ended")
            .build();
        // There before the first, so that an increase is seen.
        reconciles.add(0, &[KeyValue::new("result", PANICKED)]);
        Self {
            reconciles,
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
            left_out: meter
                .u64_gauge("docket_operator_rules_left_out")
                .with_description("Tenants whose rules no ConfigMap has room for")
                .build(),
            refused_deletions: meter
                .u64_counter("docket_operator_refused_deletions_total")
                .with_description("Attempts to let data go that wait for somebody, by reason")
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

    /// The rules of `tenants` are in no ConfigMap.
    pub fn left_out_rules(&self, tenants: usize) {
        let tenants = u64::try_from(tenants).unwrap_or(u64::MAX);
        self.left_out.record(tenants, &[]);
    }

    /// Data was not let go until somebody looks, because of `reason`.
    pub fn refused_deletion(&self, reason: &'static str) {
        self.refused_deletions
            .add(1, &[KeyValue::new("reason", reason)]);
    }

    /// A database was asked to change.
    pub fn ran_sql(&self, operation: &'static str) {
        self.statements
            .add(1, &[KeyValue::new("operation", operation)]);
    }
}

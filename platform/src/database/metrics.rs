//! `database_operations_total`, `database_operation_duration_seconds`, `database_connection_pool`,
//! `database_connection_timeouts_total`.

use std::sync::Weak;
use std::time::Duration;

use docket_instrumentation::LATENCY_BUCKETS;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};

use super::pools::Pools;

#[derive(Debug)]
pub struct Metrics {
    operations: Counter<u64>,
    duration: Histogram<f64>,
    timeouts: Counter<u64>,
}

impl Metrics {
    /// The pools are observed for as long as they live.
    pub fn new(pools: Weak<Pools>) -> Self {
        let meter = opentelemetry::global::meter("docket");
        meter
            .u64_observable_gauge("database_connection_pool")
            .with_description("Connections to Postgres of all clients, by state")
            .with_callback(move |gauge| {
                let Some(pools) = pools.upgrade() else { return };
                let count = pools.count();
                for (state, connections) in [
                    ("idle", count.idle),
                    ("used", count.used),
                    ("max", count.max),
                ] {
                    gauge.observe(connections, &[KeyValue::new("state", state)]);
                }
            })
            .build();
        let timeouts = meter
            .u64_counter("database_connection_timeouts_total")
            .with_description("Requests that waited for a connection to Postgres and got none")
            .build();
        // The first one is an increase, too.
        timeouts.add(0, &[]);
        Self {
            timeouts,
            operations: meter
                .u64_counter("database_operations_total")
                .with_description("SQL statements run")
                .build(),
            duration: meter
                .f64_histogram("database_operation_duration_seconds")
                .with_unit("s")
                .with_description("Time that an SQL statement took")
                .with_boundaries(LATENCY_BUCKETS.to_vec())
                .build(),
        }
    }

    /// All connections were in use for too long.
    pub fn timed_out(&self) {
        self.timeouts.add(1, &[]);
    }

    pub fn record(
        &self,
        operation: &'static str,
        table: &'static str,
        success: bool,
        took: Duration,
    ) {
        let labels = [
            KeyValue::new("operation", operation),
            KeyValue::new("table", table),
            KeyValue::new("success", success),
        ];
        self.operations.add(1, &labels);
        self.duration.record(took.as_secs_f64(), &labels);
    }
}

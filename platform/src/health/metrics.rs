//! `health_check_total`, `health_check_duration_seconds`; labels `component`, `status`.

use std::time::Duration;

use docket_instrumentation::LATENCY_BUCKETS;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};

use super::HealthStatus;

#[derive(Debug)]
pub(super) struct Metrics {
    checks: Counter<u64>,
    duration: Histogram<f64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let meter = opentelemetry::global::meter("docket");
        Self {
            checks: meter
                .u64_counter("health_check_total")
                .with_description("Checks of a component")
                .build(),
            duration: meter
                .f64_histogram("health_check_duration_seconds")
                .with_unit("s")
                .with_description("Time that a check of a component took")
                .with_boundaries(LATENCY_BUCKETS.to_vec())
                .build(),
        }
    }

    pub(super) fn record(&self, component: &'static str, status: HealthStatus, took: Duration) {
        let labels = [
            KeyValue::new("component", component),
            KeyValue::new("status", status.as_str()),
        ];
        self.checks.add(1, &labels);
        self.duration.record(took.as_secs_f64(), &labels);
    }
}

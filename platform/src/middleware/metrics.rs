//! `http_requests_total`, `http_request_duration_seconds`, `http_errors_total`.
//!
//! An error is an answer of 400 or more, and its label `status` tells the caller's mistakes (4xx)
//! from ours (5xx): a caller that is suddenly refused is worth an alert, too, and an objective counts
//! the 5xx alone.

use std::time::Instant;

use axum::extract::Request;
use docket_instrumentation::LATENCY_BUCKETS;
use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};

use super::{method, route};

/// Instruments of the HTTP layer; labels `docket_workload` (whose route it is), `method`, `path` (the
/// route's template), `status`.
#[derive(Debug)]
pub(super) struct HttpMetrics {
    requests: Counter<u64>,
    errors: Counter<u64>,
    duration: Histogram<f64>,
}

impl HttpMetrics {
    pub(super) fn new() -> Self {
        let meter = opentelemetry::global::meter("docket");
        Self {
            requests: meter
                .u64_counter("http_requests_total")
                .with_description("Requests answered")
                .build(),
            errors: meter
                .u64_counter("http_errors_total")
                .with_description("Requests answered with a status of 400 or more")
                .build(),
            duration: meter
                .f64_histogram("http_request_duration_seconds")
                .with_unit("s")
                .with_description("Time from a request's headers to its answer's headers")
                .with_boundaries(LATENCY_BUCKETS.to_vec())
                .build(),
        }
    }
}

/// A request on its way.
pub(super) struct Measure {
    start: Instant,
    workload: &'static str,
    method: &'static str,
    path: String,
}

impl Measure {
    /// Of a request for a route of `workload`.
    pub(super) fn begin(request: &Request, workload: &'static str) -> Self {
        Self {
            start: Instant::now(),
            workload,
            method: method(request.method()),
            path: route(request.extensions()),
        }
    }

    pub(super) fn end(self, metrics: &HttpMetrics, status: StatusCode) {
        let labels = [
            KeyValue::new("docket_workload", self.workload),
            KeyValue::new("method", self.method),
            KeyValue::new("path", self.path),
            KeyValue::new("status", i64::from(status.as_u16())),
        ];
        metrics.requests.add(1, &labels);
        metrics
            .duration
            .record(self.start.elapsed().as_secs_f64(), &labels);
        if status.is_client_error() || status.is_server_error() {
            metrics.errors.add(1, &labels);
        }
    }
}

//! Traces, metrics and logs of a Docket binary: one call at the start, one at the end.
//!
//! ```no_run
//! # async fn run() -> anyhow::Result<()> {
//! use docket_instrumentation::{Service, init};
//!
//! let service = Service {
//!     name: "docket-api",
//!     version: env!("CARGO_PKG_VERSION"),
//!     traces_per_second: Some(50),
//! };
//! let telemetry = init(service)?;
//! let requests = opentelemetry::global::meter("docket").u64_counter("http_requests_total").build();
//! requests.add(1, &[]);
//! let page = telemetry.render_metrics()?; // what GET /metrics answers
//! telemetry.shutdown().await;
//! # drop(page); Ok(()) }
//! ```
//!
//! Environment: `OTEL_EXPORTER_OTLP_ENDPOINT` (gRPC; unset: nothing leaves the process),
//! `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER` and
//! `OTEL_TRACES_SAMPLER_ARG` (instead of the service's `traces_per_second`; what failed or was slow is
//! kept with `parentbased_traceidratio`, too), `OTEL_SDK_DISABLED` (`true`: no traces, no metrics,
//! and log lines without ids), `OTEL_METRIC_EXPORT_INTERVAL`, `RUST_LOG` (default `info`), `DOCKET_LOG_FORMAT` (`json`, or
//! `text` for people).

mod correlation;
#[cfg(test)]
mod ended;
mod kept;
mod log_filter;
mod log_lines;
mod log_writer;
mod losses;
mod metrics;
mod outgoing_logs;
mod outgoing_spans;
mod panics;
mod propagation;
mod queue;
mod redact;
mod resource;
mod sampling;
mod tasks;
mod telemetry;
mod text_lines;

pub use kept::{Reason, keep};
pub use metrics::{LATENCY_BUCKETS, MetricsPage, render as render_metrics};
pub use panics::{Panicked, catch_panic, log_panics};
pub use prometheus::Registry;
pub use propagation::{
    accept_parent, accept_request, dropped_request, inject, trace_id, traceparent,
};
pub use redact::{is_clean, redact};
pub use resource::Service;
pub use tasks::restart_after_panics;
pub use telemetry::{Telemetry, init};

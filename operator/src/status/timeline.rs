//! How long the phases of one reconcile took, for the tenant's status.

use std::time::{Duration, Instant};

use docket_crds::{ReconcileStatus, SpanStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tracing::Instrument;

/// The phases of one reconcile so far.
#[derive(Debug)]
pub struct Timeline {
    trace_id: String,
    generation: i64,
    started_at: Timestamp,
    start: Instant,
    phases: Vec<(&'static str, Duration)>,
}

impl Timeline {
    /// Starts the clock of a reconcile of `generation`, inside its span.
    #[must_use]
    pub fn start(generation: i64) -> Self {
        Self {
            trace_id: docket_instrumentation::trace_id().unwrap_or_default(),
            generation,
            started_at: Timestamp::now(),
            start: Instant::now(),
            phases: Vec::new(),
        }
    }

    /// Runs one phase in its own span and notes how long it took.
    pub async fn phase<T>(
        &mut self,
        name: &'static str,
        span: tracing::Span,
        work: impl Future<Output = T>,
    ) -> T {
        let start = Instant::now();
        let result = work.instrument(span).await;
        self.phases.push((name, start.elapsed()));
        result
    }

    /// The W3C trace id of the reconcile; empty where nothing is traced.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// What the status says of this reconcile.
    #[must_use]
    pub fn status(&self) -> ReconcileStatus {
        ReconcileStatus {
            trace_id: self.trace_id.clone(),
            generation: self.generation,
            started_at: Time(self.started_at),
            duration: milliseconds(self.start.elapsed()),
            spans: self
                .phases
                .iter()
                .map(|(name, duration)| SpanStatus {
                    name: (*name).to_owned(),
                    duration: milliseconds(*duration),
                })
                .collect(),
        }
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

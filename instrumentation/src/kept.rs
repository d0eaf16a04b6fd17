//! What stays of a request whose trace is not recorded, when it failed or was slow.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer};
use opentelemetry::{KeyValue, global};

use crate::sampling::{KEPT, is_dropped};

/// Why a request is worth a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was answered with a 5xx.
    Failed,
    /// It took long.
    Slow,
}

/// Records a server span that lasted `took` until now, in the trace of the current span, with
/// `docket.kept` = `failed` or `slow`; does nothing when that trace is recorded anyway.
pub fn keep(name: String, reason: Reason, took: Duration, attributes: Vec<KeyValue>) {
    if is_dropped() {
        record(&global::tracer("docket"), name, reason, took, attributes);
    }
}

/// Below the place of the request: the SDK lets nobody choose a span's own id.
fn record<T: Tracer>(
    tracer: &T,
    name: String,
    reason: Reason,
    took: Duration,
    mut attributes: Vec<KeyValue>,
) {
    let word = match reason {
        Reason::Failed => "failed",
        Reason::Slow => "slow",
    };
    attributes.push(KeyValue::new(KEPT, word));
    let mut span = tracer
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_start_time(SystemTime::now() - took)
        .with_attributes(attributes)
        .start(tracer);
    if reason == Reason::Failed {
        span.set_status(Status::error(""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use opentelemetry::Value;
    use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use crate::correlation::Correlate;
    use crate::dropped_request;
    use crate::ended::Ended;
    use crate::sampling::at_most;

    #[test]
    fn a_failed_request_of_a_dropped_trace_leaves_a_span_that_tells_whose_and_how_long() {
        let ended = Ended::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(at_most(0))
            .with_span_processor(Correlate)
            .with_simple_exporter(ended.clone())
            .build();
        let tracer = provider.tracer("test");
        let place = dropped_request(&HeaderMap::new(), "abc-123").expect("dropped");
        let trace = place.span().span_context().trace_id();
        let _current = place.attach();
        let took = Duration::from_secs(2);
        record(&tracer, "GET /".into(), Reason::Failed, took, Vec::new());
        let spans = ended.spans();
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0].span_context.trace_id(), trace);
        assert_eq!(spans[0].status, Status::error(""));
        assert!(
            spans[0]
                .end_time
                .duration_since(spans[0].start_time)
                .expect("forwards")
                >= took
        );
        for (key, value) in [("docket.kept", "failed"), ("correlation_id", "abc-123")] {
            let attribute = KeyValue::new(key, Value::from(value));
            assert!(spans[0].attributes.contains(&attribute), "{key}");
        }
    }
}

//! W3C trace context: in with a request, out with another, and into SQL comments.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceFlags};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::correlation::CorrelationId;
use crate::{is_clean, redact, sampling};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: &str = "tracestate";

/// Trace id of the current span, as 32 lower-case hex digits; `None` outside any span.
#[must_use]
pub fn trace_id() -> Option<String> {
    current().map(|span| span.trace_id().to_string())
}

/// The current span as a W3C `traceparent`, `00-<trace id>-<span id>-<flags>`; `None` outside any span.
#[must_use]
pub fn traceparent() -> Option<String> {
    current().map(|span| String::from_utf8_lossy(&encode(&span)).into_owned())
}

/// Makes `span` a child of the remote span that `headers` name; does nothing when they name none.
///
/// Call it before the span is entered: afterwards its place in a trace is settled.
pub fn accept_parent(span: &tracing::Span, headers: &HeaderMap) {
    adopt(span, remote(headers));
}

/// [`accept_parent`], and `correlation_id` becomes an attribute of the span, of all spans below it
/// and of the log lines written in them.
pub fn accept_request(span: &tracing::Span, headers: &HeaderMap, correlation_id: &str) {
    let correlation_id = redact(correlation_id).into_owned();
    adopt(
        span,
        remote(headers).with_value(CorrelationId(correlation_id)),
    );
}

/// The place in which a request must run whose trace is not recorded, with its correlation id;
/// `None` when it is recorded: then it has a span, which [`accept_request`] puts in its place.
#[must_use]
pub fn dropped_request(headers: &HeaderMap, correlation_id: &str) -> Option<Context> {
    let place = sampling::dropped(&remote(headers))?;
    let correlation_id = redact(correlation_id).into_owned();
    Some(place.with_value(CorrelationId(correlation_id)))
}

/// Writes `traceparent` and `tracestate` of the current span into `headers`.
pub fn inject(headers: &mut HeaderMap) {
    let Some(span) = current() else { return };
    if let Ok(parent) = HeaderValue::from_bytes(&encode(&span)) {
        headers.insert(TRACEPARENT, parent);
    }
    // A trace without vendors' state has an empty one, which need not be sent.
    let state = span.trace_state().header();
    if !state.is_empty()
        && let Ok(state) = HeaderValue::try_from(state)
    {
        headers.insert(TRACESTATE, state);
    }
}

/// As [Trace Context](https://www.w3.org/TR/trace-context/#traceparent-header) has it, for every request: formatted,
/// it would be a text that grows twice.
fn encode(span: &SpanContext) -> [u8; 55] {
    let mut text = [b'-'; 55];
    let flags = (span.trace_flags() & TraceFlags::SAMPLED).to_u8();
    digits(&mut text[..2], &[0]);
    digits(&mut text[3..35], &span.trace_id().to_bytes());
    digits(&mut text[36..52], &span.span_id().to_bytes());
    digits(&mut text[53..], &[flags]);
    text
}

fn digits(text: &mut [u8], bytes: &[u8]) {
    hex::encode_to_slice(bytes, text).expect("two digits a byte");
}

fn current() -> Option<SpanContext> {
    let context = Context::current();
    let span = context.span().span_context().clone();
    span.is_valid().then_some(span)
}

fn remote(headers: &HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Incoming(headers))
}

fn adopt(span: &tracing::Span, context: Context) {
    // A span that a filter switched off has no place in a trace; that is no error of the caller.
    let _ = span.set_parent(context);
}

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    /// A vendor's state is exported with every span and sent on, so it must hold nothing personal.
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.0.get(key).and_then(|value| value.to_str().ok());
        value.filter(|value| key != TRACESTATE || is_clean(value))
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanId, TraceId, TraceState};

    #[test]
    fn a_span_is_told_as_trace_context_has_it() {
        let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").expect("an id");
        let span = SpanId::from_hex("b7ad6b7169203331").expect("an id");
        for (flags, expected) in [
            (
                1,
                b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
            (
                0,
                b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
            ),
        ] {
            let flags = TraceFlags::new(flags);
            let span = SpanContext::new(trace, span, flags, false, TraceState::default());
            assert_eq!(&encode(&span), expected);
        }
    }
}

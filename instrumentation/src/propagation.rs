//! W3C trace context: in with a request, out with another, and into SQL comments.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::correlation::CorrelationId;
use crate::{is_clean, redact, sampling};

const TRACESTATE: &str = "tracestate";

/// Trace id of the current span, as 32 lower-case hex digits; `None` outside any span.
#[must_use]
pub fn trace_id() -> Option<String> {
    current().map(|span| span.trace_id().to_string())
}

/// The current span as a W3C `traceparent`, `00-<trace id>-<span id>-<flags>`; `None` outside any span.
#[must_use]
pub fn traceparent() -> Option<String> {
    current().map(|span| {
        format!(
            "00-{}-{}-{:02x}",
            span.trace_id(),
            span.span_id(),
            span.trace_flags().to_u8()
        )
    })
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
    TraceContextPropagator::new().inject_context(&Context::current(), &mut Outgoing(headers));
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

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        // A trace without vendors' state has an empty one, which need not be sent.
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

//! The correlation id of a request, carried by the OpenTelemetry context to all that it causes.

use std::time::Duration;

use opentelemetry::logs::{AnyValue, LogRecord as _};
use opentelemetry::trace::Span as _;
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

pub(crate) const CORRELATION_ID: &str = "correlation_id";

/// Value of an OpenTelemetry [`Context`]; child spans inherit it.
#[derive(Clone, Debug)]
pub(crate) struct CorrelationId(pub(crate) String);

pub(crate) fn correlation_id(context: &Context) -> Option<&str> {
    context.get::<CorrelationId>().map(|id| id.0.as_str())
}

/// Puts the correlation id on every span and log record of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Correlate;

impl SpanProcessor for Correlate {
    fn on_start(&self, span: &mut Span, context: &Context) {
        if let Some(id) = correlation_id(context) {
            span.set_attribute(KeyValue::new(CORRELATION_ID, id.to_owned()));
        }
    }

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for Correlate {
    fn emit(&self, record: &mut SdkLogRecord, _scope: &InstrumentationScope) {
        if let Some(id) = correlation_id(&Context::current()) {
            record.add_attribute(CORRELATION_ID, AnyValue::from(id.to_owned()));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

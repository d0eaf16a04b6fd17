//! The way of a span out of the process: a bounded queue, redaction, the exporter.

use std::time::Duration;

use opentelemetry::{Array, Context, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use crate::queue::{LONGEST, Queue};
use crate::redact;

/// Sends batches of spans to `exporter` from a thread of its own.
#[derive(Debug)]
pub(crate) struct OutgoingSpans {
    queue: Queue,
    batches: BatchSpanProcessor,
}

impl OutgoingSpans {
    pub(crate) fn to<E: SpanExporter + 'static>(exporter: E, queue: Queue) -> Self {
        // The SDK's own queue is never full before ours is.
        let config = BatchConfigBuilder::default().with_max_queue_size(LONGEST);
        let exporter = Redacted {
            exporter,
            queue: queue.clone(),
        };
        Self {
            queue,
            batches: BatchSpanProcessor::new(exporter, config.build()),
        }
    }
}

impl SpanProcessor for OutgoingSpans {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.queue.enter() {
            self.batches.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Redacts what it hands on, in the exporter's thread, where it costs no request its time.
#[derive(Debug)]
struct Redacted<E> {
    exporter: E,
    queue: Queue,
}

impl<E: SpanExporter> SpanExporter for Redacted<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.queue.leave(spans);
        batch.iter_mut().for_each(redact_span);
        let result = self.exporter.export(batch).await;
        self.queue.losses.export(spans, result.is_ok());
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn redact_span(span: &mut SpanData) {
    if let Some(name) = changed(&span.name) {
        span.name = name.into();
    }
    if let opentelemetry::trace::Status::Error { description } = &mut span.status
        && let Some(redacted) = changed(description)
    {
        *description = redacted.into();
    }
    redact_attributes(&mut span.attributes);
    for event in &mut span.events.events {
        if let Some(name) = changed(&event.name) {
            event.name = name.into();
        }
        redact_attributes(&mut event.attributes);
    }
    for link in &mut span.links.links {
        redact_attributes(&mut link.attributes);
    }
}

fn redact_attributes(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        match &mut attribute.value {
            Value::String(text) => redact_text(text),
            Value::Array(Array::String(texts)) => texts.iter_mut().for_each(redact_text),
            _ => {}
        }
    }
}

fn redact_text(text: &mut StringValue) {
    if let Some(redacted) = changed(text.as_str()) {
        *text = redacted.into();
    }
}

fn changed(text: &str) -> Option<String> {
    match redact(text) {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(redacted) => Some(redacted),
    }
}

#[cfg(test)]
mod tests;

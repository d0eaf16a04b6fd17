//! The way of a log record out of the process: a bounded queue, redaction, the exporter.

use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, LogProcessor, SdkLogRecord,
    SdkLogger, SdkLoggerProvider,
};

use crate::queue::{LONGEST, Queue};
use crate::{is_clean, redact};

/// Sends batches of log records to `exporter` from a thread of its own.
#[derive(Debug)]
pub(crate) struct OutgoingLogs {
    queue: Queue,
    batches: BatchLogProcessor,
}

impl OutgoingLogs {
    pub(crate) fn to<E: LogExporter + 'static>(exporter: E, queue: Queue) -> Self {
        // The SDK's own queue is never full before ours is.
        let config = BatchConfigBuilder::default().with_max_queue_size(LONGEST);
        let exporter = Redacted {
            exporter,
            queue: queue.clone(),
            blank: SdkLoggerProvider::builder().build().logger("blank"),
        };
        let batches = BatchLogProcessor::builder(exporter).with_batch_config(config.build());
        Self {
            queue,
            batches: batches.build(),
        }
    }
}

impl LogProcessor for OutgoingLogs {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.queue.enter() {
            self.batches.emit(record, scope);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.batches.event_enabled(level, target, name)
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
    /// Makes empty records: the fields of one that exists cannot be changed.
    blank: SdkLogger,
}

impl<E: LogExporter> LogExporter for Redacted<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records: Vec<_> = batch.iter().collect();
        self.queue.leave(records.len());
        let redacted: Vec<Option<SdkLogRecord>> = records
            .iter()
            .map(|(record, _)| (!record_is_clean(record)).then(|| self.redacted(record)))
            .collect();
        let told: Vec<_> = records
            .iter()
            .zip(&redacted)
            .map(|((record, scope), redacted)| (redacted.as_ref().unwrap_or(record), *scope))
            .collect();
        let result = self.exporter.export(LogBatch::new(&told)).await;
        self.queue.losses.export(records.len(), result.is_ok());
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.exporter.event_enabled(level, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E> Redacted<E> {
    fn redacted(&self, record: &SdkLogRecord) -> SdkLogRecord {
        let mut copy = self.blank.create_log_record();
        if let Some(name) = record.event_name() {
            copy.set_event_name(name);
        }
        if let Some(target) = record.target() {
            copy.set_target(target.clone());
        }
        if let Some(timestamp) = record.timestamp() {
            copy.set_timestamp(timestamp);
        }
        if let Some(timestamp) = record.observed_timestamp() {
            copy.set_observed_timestamp(timestamp);
        }
        if let Some(text) = record.severity_text() {
            copy.set_severity_text(text);
        }
        if let Some(number) = record.severity_number() {
            copy.set_severity_number(number);
        }
        if let Some(span) = record.trace_context() {
            copy.set_trace_context(span.trace_id, span.span_id, span.trace_flags);
        }
        if let Some(body) = record.body() {
            copy.set_body(redact_value(body.clone()));
        }
        for (key, value) in record.attributes_iter() {
            copy.add_attribute(key.clone(), redact_value(value.clone()));
        }
        copy
    }
}

fn record_is_clean(record: &SdkLogRecord) -> bool {
    let mut values = record.body().into_iter();
    values.all(value_is_clean)
        && record
            .attributes_iter()
            .all(|(_, value)| value_is_clean(value))
}

fn value_is_clean(value: &AnyValue) -> bool {
    match value {
        AnyValue::String(text) => is_clean(text.as_str()),
        AnyValue::ListAny(values) => values.iter().all(value_is_clean),
        AnyValue::Map(values) => values.values().all(value_is_clean),
        _ => true,
    }
}

fn redact_value(value: AnyValue) -> AnyValue {
    match value {
        AnyValue::String(text) => AnyValue::from(redact(text.as_str()).into_owned()),
        AnyValue::ListAny(values) => {
            AnyValue::ListAny(Box::new(values.into_iter().map(redact_value).collect()))
        }
        AnyValue::Map(values) => {
            let values = values.into_iter();
            let values = values.map(|(key, value)| (key, redact_value(value)));
            AnyValue::Map(Box::new(values.collect()))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;

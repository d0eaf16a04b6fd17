use std::sync::{Arc, Mutex};

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord, SdkLoggerProvider};

use super::OutgoingLogs;
use crate::queue::{LONGEST, Queue};

#[derive(Clone, Debug, Default)]
struct Arrived(Arc<Mutex<Vec<SdkLogRecord>>>);

impl LogExporter for Arrived {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records = batch.iter().map(|(record, _)| record.clone());
        self.0.lock().expect("records").extend(records);
        Ok(())
    }
}

#[derive(Debug)]
struct Gone;

impl LogExporter for Gone {
    async fn export(&self, _: LogBatch<'_>) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("nobody is there".into()))
    }
}

fn provider(exporter: impl LogExporter + 'static, queue: Queue) -> SdkLoggerProvider {
    let logs = OutgoingLogs::to(exporter, queue);
    SdkLoggerProvider::builder()
        .with_log_processor(logs)
        .build()
}

#[test]
fn a_record_arrives_without_personal_data_and_otherwise_as_it_was() {
    let arrived = Arrived::default();
    let provider = provider(arrived.clone(), Queue::default());
    let logger = provider.logger("docket");
    let mut record = logger.create_log_record();
    record.set_event_name("event");
    record.set_target("docket");
    record.set_timestamp(std::time::SystemTime::UNIX_EPOCH);
    record.set_severity_number(Severity::Warn);
    record.set_severity_text("WARN");
    record.set_trace_context(TraceId::from(1), SpanId::from(2), None);
    record.set_body(AnyValue::from("from jane@example.com"));
    record.add_attribute("number", 5);
    record.add_attribute("text", "jane@example.com");
    let list = vec![AnyValue::from("4111111111111111"), AnyValue::from("clean")];
    record.add_attribute("list", AnyValue::ListAny(Box::new(list)));
    let map = [("key".into(), AnyValue::from("078-05-1120"))].into();
    record.add_attribute("map", AnyValue::Map(Box::new(map)));
    logger.emit(record.clone());
    provider.force_flush().expect("flushed");

    let arrived = arrived.0.lock().expect("records");
    let told = &arrived[0];
    assert_eq!(told.body(), Some(&AnyValue::from("from [email]")));
    let attributes = format!("{:?}", told.attributes_iter().collect::<Vec<_>>());
    for there in ["Int(5)", "[email]", "[card]", "clean", "[ssn]"] {
        assert!(attributes.contains(there), "{there}: {attributes}");
    }
    for gone in ["jane@", "4111", "078-"] {
        assert!(!attributes.contains(gone), "{gone}: {attributes}");
    }
    assert_eq!(told.event_name(), record.event_name());
    assert_eq!(told.target(), record.target());
    assert_eq!(told.timestamp(), record.timestamp());
    assert!(told.observed_timestamp().is_some());
    assert_eq!(told.severity_number(), record.severity_number());
    assert_eq!(told.severity_text(), record.severity_text());
    assert_eq!(told.trace_context(), record.trace_context());
}

#[test]
fn every_record_that_nobody_takes_is_counted() {
    let queue = Queue::default();
    let provider = provider(Gone, queue.clone());
    let logger = provider.logger("docket");
    let made = 3 * LONGEST as u64;
    for _ in 0..made {
        logger.emit(logger.create_log_record());
    }
    let _ = provider.force_flush();
    let (exported, full, failed) = queue.losses.counts();
    assert_eq!((exported, full + failed), (0, made));
}

use std::sync::Mutex;

use opentelemetry::trace::{Span as _, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

use super::OutgoingSpans;
use crate::ended::Ended;
use crate::queue::{LONGEST, Queue};

fn provider(exporter: impl SpanExporter + 'static, queue: Queue) -> SdkTracerProvider {
    let spans = OutgoingSpans::to(exporter, queue);
    SdkTracerProvider::builder()
        .with_span_processor(spans)
        .build()
}

#[test]
fn no_part_of_a_span_holds_personal_data() {
    let arrived = Ended::default();
    let provider = provider(arrived.clone(), Queue::default());
    let mut span = provider.tracer("docket").start("mail to jane@example.com");
    span.set_attribute(KeyValue::new("text", "jane@example.com"));
    let texts = vec!["jane@example.com".into(), "clean".into()];
    span.set_attribute(KeyValue::new("texts", Value::Array(Array::String(texts))));
    span.add_event(
        "from jane@example.com",
        vec![KeyValue::new("card", "4111111111111111")],
    );
    span.set_status(Status::error("no such user: jane@example.com"));
    span.end();
    provider.force_flush().expect("flushed");
    let arrived = format!("{:?}", arrived.spans());
    assert!(
        !arrived.contains("jane@") && !arrived.contains("4111"),
        "{arrived}"
    );
    for told in [
        "mail to [email]",
        "from [email]",
        "no such user: [email]",
        "[card]",
        "clean",
    ] {
        assert!(arrived.contains(told), "{told}: {arrived}");
    }
}

/// Takes nothing until it is let go.
#[derive(Debug)]
struct Stuck(Mutex<std::sync::mpsc::Receiver<()>>);

impl SpanExporter for Stuck {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        let _ = self.0.lock().expect("a receiver").recv();
        Err(OTelSdkError::InternalFailure("nobody is there".into()))
    }
}

#[test]
fn while_nobody_takes_spans_a_bounded_number_waits_and_every_other_is_counted() {
    let (let_go, stuck) = std::sync::mpsc::channel();
    let queue = Queue::default();
    let provider = provider(Stuck(Mutex::new(stuck)), queue.clone());
    let tracer = provider.tracer("docket");
    let made = 10 * LONGEST as u64;
    for _ in 0..made {
        tracer.start("span").end();
    }
    let (_, full, _) = queue.losses.counts();
    // What the exporter holds while it is stuck is no longer in the queue.
    assert!(
        full >= made - LONGEST as u64 - 512,
        "{full} of {made} were dropped"
    );
    assert!(
        full <= made - LONGEST as u64,
        "{full} of {made} were dropped"
    );
    drop(let_go);
    let _ = provider.force_flush();
    let (exported, full, failed) = queue.losses.counts();
    assert_eq!(
        (exported, full + failed),
        (0, made),
        "none is lost uncounted"
    );
}

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use serde_json::Value;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::JsonLines;
use crate::correlation::Correlate;
use crate::ended::Ended;
use crate::log_filter;
use crate::{accept_request, inject, trace_id, traceparent};

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a sink").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn lines(&self) -> Vec<Value> {
        let bytes = self.0.lock().expect("a sink").clone();
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a JSON object"))
            .collect()
    }
}

/// Runs `work` under all layers; its log lines and the spans that ended.
fn observe(work: impl FnOnce()) -> (Vec<Value>, Vec<SpanData>) {
    let sink = Sink::default();
    let writer = sink.clone();
    let spans = Ended::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Correlate)
        .with_simple_exporter(spans.clone())
        .build();
    let subscriber = tracing_subscriber::registry()
        .with(
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("docket"))
                .with_filter(log_filter::exported_spans()),
        )
        .with(
            JsonLines::new(move || writer.clone())
                .with_filter(log_filter::lines(None).expect("a filter")),
        );
    tracing::subscriber::with_default(subscriber, work);
    let ended = spans.spans();
    (sink.lines(), ended)
}

fn headers(traceparent: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("traceparent"),
        http::HeaderValue::from_static(traceparent),
    )])
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn a_line_outside_a_span_has_its_fields_and_no_ids() {
    let (lines, _) = observe(|| tracing::warn!(attempt = 3, host = "db", "slow"));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["message"], "slow");
    assert_eq!(lines[0]["level"], "WARN");
    assert_eq!(lines[0]["attempt"], 3);
    assert_eq!(lines[0]["host"], "db");
    assert!(lines[0].get("trace_id").is_none());
}

#[test]
fn a_line_inside_a_request_names_its_trace_span_and_correlation_id() {
    let (lines, spans) = observe(|| {
        let request = tracing::info_span!("request");
        accept_request(&request, &headers(PARENT), "abc-123");
        let _request = request.entered();
        let _child = tracing::info_span!("child").entered();
        tracing::info!("inside");
    });
    let child = &spans[0];
    assert_eq!(lines[0]["trace_id"], TRACE);
    assert_eq!(
        lines[0]["span_id"],
        child.span_context.span_id().to_string()
    );
    assert_eq!(lines[0]["correlation_id"], "abc-123");
}

#[test]
fn every_span_of_a_request_carries_the_correlation_id() {
    let (_, spans) = observe(|| {
        let request = tracing::info_span!("request");
        accept_request(&request, &headers(PARENT), "abc-123");
        let _request = request.entered();
        let _child = tracing::info_span!("child").entered();
        let _grandchild = tracing::info_span!("grandchild").entered();
    });
    assert_eq!(spans.len(), 3);
    for span in spans {
        let id = span
            .attributes
            .iter()
            .find(|kv| kv.key.as_str() == "correlation_id");
        assert_eq!(
            id.map(|kv| kv.value.to_string()).as_deref(),
            Some("abc-123"),
            "{}",
            span.name
        );
        assert_eq!(
            span.span_context.trace_id().to_string(),
            TRACE,
            "{}",
            span.name
        );
    }
}

#[test]
fn the_current_span_is_what_goes_out() {
    observe(|| {
        assert_eq!(trace_id(), None);
        assert_eq!(traceparent(), None);
        let request = tracing::info_span!("request");
        accept_request(&request, &headers(PARENT), "abc-123");
        let _request = request.entered();
        assert_eq!(trace_id().as_deref(), Some(TRACE));
        let mut outgoing = HeaderMap::new();
        inject(&mut outgoing);
        let sent = outgoing["traceparent"].to_str().expect("ASCII").to_owned();
        assert_eq!(Some(sent), traceparent());
        assert!(
            !outgoing.contains_key("tracestate"),
            "there is none to send"
        );
    });
}

#[test]
fn a_field_cannot_pass_for_a_key_of_the_line() {
    let (lines, _) = observe(|| tracing::info!(trace_id = "forged", level = "forged", "text"));
    assert!(lines[0].get("trace_id").is_none());
    assert_eq!(lines[0]["level"], "INFO");
}

#[test]
fn the_same_complaint_of_the_exporter_is_written_once_a_minute() {
    let (lines, _) = observe(|| {
        for _ in 0..100 {
            tracing::error!(target: "opentelemetry_sdk", "export failed");
        }
        for _ in 0..2 {
            tracing::error!("ours");
        }
    });
    let complaints = lines
        .iter()
        .filter(|line| line["message"] == "export failed")
        .count();
    assert_eq!((complaints, lines.len()), (1, 3));
}

#[test]
fn a_question_about_a_level_does_not_cost_the_next_span_its_trace() {
    let (lines, spans) = observe(|| {
        for _ in 0..2 {
            // Log lines would show it, the export would not; then no event follows.
            assert!(tracing::enabled!(target: "hyper", tracing::Level::WARN));
            let _request = tracing::info_span!("request").entered();
            tracing::info!("inside");
        }
    });
    assert_eq!(spans.len(), 2);
    assert!(
        lines.iter().all(|line| line.get("trace_id").is_some()),
        "{lines:?}"
    );
}

#[test]
fn no_text_of_a_line_holds_personal_data() {
    let error = std::io::Error::other("no such user: jane@example.com");
    let (lines, _) = observe(|| {
        tracing::warn!(
            name = "jane@example.com",
            shown = %"4111 1111 1111 1111",
            told = ?Some("078-05-1120"),
            error = &error as &dyn std::error::Error,
            "from jane@example.com"
        );
    });
    let line = &lines[0];
    assert_eq!(line["message"], "from [email]");
    assert_eq!(line["name"], "[email]");
    assert_eq!(line["shown"], "[card]");
    assert_eq!(line["told"], "Some(\"[ssn]\")");
    assert_eq!(line["error"], "no such user: [email]");
}

#[test]
fn a_correlation_id_that_holds_personal_data_is_redacted() {
    let (lines, spans) = observe(|| {
        let request = tracing::info_span!("request");
        accept_request(&request, &headers(PARENT), "4111-1111-1111-1111");
        let _request = request.entered();
        tracing::info!("inside");
    });
    assert_eq!(lines[0]["correlation_id"], "[card]");
    assert!(!format!("{spans:?}").contains("4111"), "{spans:?}");
}

#[test]
fn a_vendors_state_goes_on_unless_it_holds_personal_data() {
    for (state, goes_on) in [("vendor=abc", true), ("vendor=jane@example.com", false)] {
        observe(|| {
            let request = tracing::info_span!("request");
            let mut headers = headers(PARENT);
            headers.insert("tracestate", http::HeaderValue::from_static(state));
            accept_request(&request, &headers, "abc-123");
            let _request = request.entered();
            assert_eq!(trace_id().as_deref(), Some(TRACE), "{state}");
            let mut outgoing = HeaderMap::new();
            inject(&mut outgoing);
            assert_eq!(outgoing.contains_key("tracestate"), goes_on, "{state}");
        });
    }
}

#[test]
fn a_short_line_after_a_long_one_is_whole() {
    let long = "x".repeat(100_000);
    let (lines, _) = observe(|| {
        tracing::info!(long, "first");
        tracing::info!(short = "y", "second");
    });
    assert_eq!(lines[0]["long"], *long);
    assert_eq!(lines[1]["short"], "y");
    assert!(lines[1].get("long").is_none());
}

//! An upload as it was logged and traced, for tests.

use serde_json::{Value, json};

use super::id::Id;
use super::line::Line;
use super::otlp::{self, Batches};
use crate::pod_logs::PodLine;

pub(super) const TRACE: &str = "8763cb4063ab280e0d4ec15954feba6f";

pub(super) fn id(text: &str) -> Id {
    Id::read(text).expect("an id")
}

pub(super) fn pod_lines() -> Vec<Line> {
    let line = json!({"timestamp": "2026-11-22T02:32:40.767137951Z", "level": "INFO",
        "target": "docket_api_server::middleware::trace", "message": "request", "trace_id": TRACE,
        "span_id": "284468e2a6c2e6dd", "correlation_id": "order-12", "method": "PUT",
        "route": "/clients/{client}/upload-document", "client": "globex", "status": 503, "duration_ms": 61.515627});
    let pod = "acme-api-769d7f46f4-gqfhp".to_owned();
    Line::of_pod(PodLine { pod, line }).into_iter().collect()
}

/// Spans by name, id, parent, and microseconds from the start to start and end.
pub(super) fn batches() -> Batches {
    const START: u64 = 1_795_314_760_705_662_293;
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let sql = "INSERT INTO document_metadata (filename)\n  SELECT $1 RETURNING id";
    let spans: Vec<Value> = [
        ("sql_execution", "2c6d39a55aae3d93", "836b9f911e07e275", 28_426, 60_691),
        ("transaction_commit", "836b9f911e07e275", "504650e283e77b56", 28_301, 60_880),
        ("database_connection", "1e0de6274f990af5", "504650e283e77b56", 23_964, 28_235),
        ("store_metadata", "504650e283e77b56", "7c796587efd4033e", 23_945, 61_056),
        ("upload_document", "7c796587efd4033e", "284468e2a6c2e6dd", 374, 61_149),
        ("PUT /clients/{client}/upload-document", "284468e2a6c2e6dd", "00f067aa0ba902b7", 0, 61_571),
    ]
    .map(|(name, id, parent, start, end)| {
        let mut attributes = vec![attribute("correlation_id", "order-12")];
        if name == "sql_execution" {
            attributes.push(attribute("db.operation.name", "INSERT"));
            attributes.push(attribute("db.collection.name", "document_metadata"));
            attributes.push(attribute("db.query.text", sql));
        }
        let status = match name {
            "transaction_commit" => json!({"code": 2, "message": "no answer\u{1b}[31m in time"}),
            _ => json!({}),
        };
        json!({"traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": 1,
            "startTimeUnixNano": (START + start * 1000).to_string(),
            "endTimeUnixNano": (START + end * 1000).to_string(), "attributes": attributes, "status": status})
    })
    .into();
    let resource = json!({"attributes": [
        attribute("service.name", "document-api"), attribute("k8s.pod.name", "acme-api-769d7f46f4-gqfhp")]});
    let record = |at: u64, level, body, span| {
        json!({"observedTimeUnixNano": (START + at * 1000).to_string(), "severityText": level,
            "body": {"stringValue": body}, "traceId": TRACE, "spanId": span,
            "attributes": [attribute("correlation_id", "order-12")]})
    };
    let records = [
        record(60_900, "ERROR", "request failed", "7c796587efd4033e"),
        record(61_400, "INFO", "request", "284468e2a6c2e6dd"),
    ];
    let text = [
        json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}),
        json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}),
    ];
    otlp::read(&text.map(|batch| batch.to_string()).join("\n"))
}

//! Spans and log records, as the collector's file exporter writes them: one batch of OTLP's JSON a line.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::line::Line;
use super::span::Span;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Batches {
    pub spans: Vec<Span>,
    pub lines: Vec<Line>,
}

/// All spans and log records of `text`; what is neither is passed over.
pub(super) fn read(text: &str) -> Batches {
    let mut batches = Batches::default();
    for line in text.lines() {
        let Ok(batch) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        for resource in list(&batch["resourceSpans"]) {
            let of = attributes(&resource["resource"]["attributes"]);
            let spans = list(&resource["scopeSpans"]).flat_map(|scope| list(&scope["spans"]));
            batches.spans.extend(spans.filter_map(|it| span(it, &of)));
        }
        for resource in list(&batch["resourceLogs"]) {
            let of = attributes(&resource["resource"]["attributes"]);
            let records = list(&resource["scopeLogs"]).flat_map(|it| list(&it["logRecords"]));
            batches
                .lines
                .extend(records.filter_map(|it| record(it, &of)));
        }
    }
    batches
}

type Attributes = BTreeMap<String, Value>;

fn span(span: &Value, resource: &Attributes) -> Option<Span> {
    let own = attributes(&span["attributes"]);
    Some(Span {
        trace: text(&span["traceId"]),
        id: Some(text(&span["spanId"])).filter(|id| !id.is_empty())?,
        parent: text(&span["parentSpanId"]),
        service: plain(resource.get("service.name")),
        name: text(&span["name"]),
        start: time(&span["startTimeUnixNano"])?,
        end: time(&span["endTimeUnixNano"])?,
        error: error(span),
        attributes: own
            .iter()
            .map(|(key, it)| (key.clone(), plain(Some(it))))
            .collect(),
    })
}

/// Where the span itself says nothing, its last exception does.
fn error(span: &Value) -> Option<String> {
    let status = &span["status"];
    if status["code"] != 2 && status["code"] != "STATUS_CODE_ERROR" {
        return None;
    }
    let said = text(&status["message"]);
    if !said.is_empty() {
        return Some(said);
    }
    let exceptions = list(&span["events"]).filter_map(|event| {
        attributes(&event["attributes"])
            .remove("exception.message")
            .map(|message| plain(Some(&message)))
    });
    Some(exceptions.last().unwrap_or_default())
}

fn record(record: &Value, resource: &Attributes) -> Option<Line> {
    let mut fields = attributes(&record["attributes"]);
    let at = time(&record["timeUnixNano"]).filter(|at| *at != Timestamp::UNIX_EPOCH);
    let request = fields.remove("correlation_id");
    let source = ["k8s.pod.name", "service.name"].map(|key| resource.get(key));
    Some(Line {
        at: at.or_else(|| time(&record["observedTimeUnixNano"]))?,
        level: text(&record["severityText"]),
        message: plain(Some(&value(&record["body"]))),
        trace: text(&record["traceId"]),
        span: text(&record["spanId"]),
        request: plain(request.as_ref()),
        source: plain(source.into_iter().flatten().next()),
        fields: fields.into_iter().collect::<Map<_, _>>(),
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A value without quotes around it.
fn plain(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// 64-bit numbers are texts in protobuf's JSON, and numbers where nobody minds.
fn number(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().map(Into::into),
    }
}

/// Nanoseconds since 1970.
fn time(value: &Value) -> Option<Timestamp> {
    Timestamp::from_nanosecond(number(value)?).ok()
}

fn attributes(attributes: &Value) -> Attributes {
    let pairs = list(attributes);
    pairs
        .map(|pair| (text(&pair["key"]), value(&pair["value"])))
        .collect()
}

/// An `AnyValue`, as JSON would write it.
fn value(any: &Value) -> Value {
    let Some((kind, inner)) = any.as_object().and_then(|any| any.iter().next()) else {
        return Value::Null;
    };
    match &**kind {
        "intValue" => match number(inner).and_then(|it| i64::try_from(it).ok()) {
            Some(number) => number.into(),
            None => inner.clone(),
        },
        "arrayValue" => list(&inner["values"]).map(value).collect(),
        "kvlistValue" => Value::Object(attributes(&inner["values"]).into_iter().collect()),
        _ => inner.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn span_with(change: Value) -> Vec<Span> {
        let mut span = json!({"traceId": "t", "spanId": "a", "name": "one",
            "startTimeUnixNano": "1000", "endTimeUnixNano": 2000, "status": {}});
        for (key, value) in change.as_object().expect("an object") {
            span[key] = value.clone();
        }
        let service = json!({"key": "service.name", "value": {"stringValue": "document-api"}});
        let batch = json!({"resourceSpans": [{"resource": {"attributes": [service]},
            "scopeSpans": [{"spans": [span]}]}]});
        read(&format!("no JSON\n{batch}\n{{\"resourceMetrics\":[]}}\n")).spans
    }

    #[test]
    fn a_span_has_its_times_its_service_and_its_attributes_as_texts() {
        let spans = span_with(json!({"attributes": [
            {"key": "db.query.text", "value": {"stringValue": "SELECT 1"}},
            {"key": "rows", "value": {"intValue": "7"}},
            {"key": "all", "value": {"arrayValue": {"values": [{"boolValue": true}, {"doubleValue": 0.5}]}}},
        ]}));
        let [span] = &spans[..] else {
            panic!("{spans:?}")
        };
        assert_eq!((&*span.service, &*span.parent), ("document-api", ""));
        assert_eq!(span.end.duration_since(span.start).as_nanos(), 1000);
        let told: Vec<(&str, &str)> = span.attributes.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(
            told,
            [
                ("all", "[true,0.5]"),
                ("db.query.text", "SELECT 1"),
                ("rows", "7")
            ]
        );
    }

    #[test]
    fn a_span_that_failed_says_why_where_that_is_known() {
        let failed = |change| span_with(change).remove(0).error;
        let exception = json!([{"name": "x", "attributes": [
            {"key": "exception.message", "value": {"stringValue": "no database"}}]}]);
        for (change, expected) in [
            (json!({}), None),
            (json!({"status": {"code": 1}}), None),
            (json!({"status": {"code": 2}}), Some("")),
            (
                json!({"status": {"code": 2, "message": "late"}, "events": exception}),
                Some("late"),
            ),
            (
                json!({"status": {"code": "STATUS_CODE_ERROR"}, "events": exception}),
                Some("no database"),
            ),
        ] {
            assert_eq!(failed(change).as_deref(), expected);
        }
    }

    #[test]
    fn a_log_record_is_the_line_that_it_was() {
        let record = json!({"observedTimeUnixNano": "1000", "severityText": "WARN", "traceId": "t", "spanId": "s",
            "body": {"stringValue": "slow"}, "attributes": [
                {"key": "correlation_id", "value": {"stringValue": "r"}},
                {"key": "status", "value": {"intValue": "201"}}]});
        let pod = json!({"key": "k8s.pod.name", "value": {"stringValue": "acme-api-1"}});
        let batch = json!({"resourceLogs": [{"resource": {"attributes": [pod]},
            "scopeLogs": [{"logRecords": [record]}]}]});
        let lines = read(&batch.to_string()).lines;
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!(
            (&*line.source, &*line.level, &*line.message),
            ("acme-api-1", "WARN", "slow")
        );
        assert_eq!((&*line.request, line.at.as_nanosecond()), ("r", 1000));
        assert_eq!(line.fields["status"], 201);
    }

    proptest! {
        #[test]
        fn whatever_a_file_holds_is_read_or_passed_over(text in "[\\PC\n{}\\[\\]\":,0-9]{0,200}") {
            read(&text);
        }

        #[test]
        fn a_batch_of_another_shape_is_passed_over(
            key in "resourceSpans|resourceLogs", inner in "\\[|\\{|null|1|\"x\"|\\[1\\]|\\[\\{\"scopeSpans\":7\\}\\]",
        ) {
            prop_assert_eq!(read(&format!("{{\"{key}\":{inner}}}")), Batches::default());
        }
    }
}

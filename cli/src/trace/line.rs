//! A log line, from a pod or from the gateway.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::pod_logs::PodLine;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub at: Timestamp,
    pub level: String,
    pub message: String,
    /// Empty where there is none.
    pub trace: String,
    pub span: String,
    /// The id of the request; empty where there is none.
    pub request: String,
    /// The pod, or else the service, that wrote it.
    pub source: String,
    /// What else it says.
    pub fields: Map<String, Value>,
}

impl Line {
    /// None where it has no time.
    pub(super) fn of_pod(PodLine { pod, line }: PodLine) -> Option<Self> {
        let Value::Object(mut fields) = line else {
            return None;
        };
        let mut take = |name| match fields.remove(name) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let line = Self {
            at: take("timestamp").parse().ok()?,
            level: take("level"),
            message: take("message"),
            trace: take("trace_id"),
            span: take("span_id"),
            request: take("correlation_id"),
            source: pod,
            fields: Map::new(),
        };
        fields.remove("target");
        Some(Self { fields, ..line })
    }

    /// The one line of a request, and no other of it.
    pub(super) fn is_request(&self) -> bool {
        matches!(
            &*self.message,
            "request" | "request abandoned by its caller"
        )
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.trace, &self.span, &self.level, &self.message)
            == (&other.trace, &other.span, &other.level, &other.message)
    }
}

/// All lines in their order; one that a pod still has is not told by the gateway again.
pub(super) fn merged(of_pods: Vec<Line>, of_gateway: Vec<Line>) -> Vec<Line> {
    let mut unmatched: Vec<&Line> = of_pods.iter().collect();
    let mut others = Vec::new();
    for line in of_gateway {
        match unmatched.iter().position(|known| known.is_same(&line)) {
            Some(at) => {
                unmatched.swap_remove(at);
            }
            None => others.push(line),
        }
    }
    let mut lines = [of_pods, others].concat();
    lines.sort_by_key(|line| line.at);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(at: &str, message: &str) -> Line {
        let line = json!({"timestamp": at, "level": "INFO", "target": "docket", "message": message,
            "trace_id": "t", "span_id": "s", "correlation_id": "r", "status": 201});
        let pod = "acme-api-1".to_owned();
        Line::of_pod(PodLine { pod, line }).expect("a line")
    }

    #[test]
    fn a_line_of_a_pod_is_its_time_its_ids_and_what_else_it_says() {
        let line = line("2026-11-22T02:32:40.767Z", "request");
        assert!(line.is_request());
        assert_eq!((&*line.trace, &*line.span, &*line.request), ("t", "s", "r"));
        assert_eq!(Value::Object(line.fields), json!({"status": 201}));
        let timeless = PodLine {
            pod: String::new(),
            line: json!({"message": "x"}),
        };
        assert_eq!(Line::of_pod(timeless), None);
    }

    #[test]
    fn what_pods_and_gateway_both_tell_is_told_once_and_all_in_its_order() {
        let [late, early] = ["2026-11-22T02:00:02Z", "2026-11-22T02:00:01Z"];
        let lines = merged(
            vec![line(late, "request"), line(late, "again")],
            vec![
                line(early, "gone"),
                line(early, "request"),
                line(early, "again"),
                line(early, "again"),
            ],
        );
        let told: Vec<&str> = lines.iter().map(|line| &*line.message).collect();
        assert_eq!(told, ["gone", "again", "request", "again"]);
    }
}

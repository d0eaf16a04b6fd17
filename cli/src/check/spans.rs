//! From an answer to its spans at the gateway, down to the SQL statement.

use std::time::{Duration, Instant};

use super::client::Stored;
use super::report::Verdict;
use super::{Seen, passed};
use crate::trace::gateway::Gateway;
use crate::trace::id::Id;
use crate::trace::span::{Span, request_of, statement};

/// Spans wait in the API server and in its collector for others to go with.
const PATIENCE: Duration = Duration::from_secs(15);

const INTERVAL: Duration = Duration::from_millis(500);

/// The trace of an upload has its spans at the gateway: each names the request, and one of them the SQL.
pub(super) async fn recorded(gateway: Result<Gateway<'_>, &str>, stored: &Stored) -> Seen {
    let gateway = match gateway {
        Ok(gateway) if stored.sampled => gateway,
        Ok(_) => {
            let why = "this trace is not recorded: see spec.telemetry.sampling";
            return Ok(Verdict::Skipped(why.into()));
        }
        Err(why) => return Ok(Verdict::Skipped(why.into())),
    };
    let trace = stored.trace.as_deref().unwrap_or_default();
    let ids = [Id::read(trace)?];
    let start = Instant::now();
    loop {
        let batches = match gateway.with(&ids).await {
            Ok(batches) => batches,
            Err(why) => return Ok(Verdict::Skipped(why)),
        };
        match told(&batches.spans, trace, &stored.request) {
            Ok(seen) => return passed(seen),
            Err(why) if start.elapsed() > PATIENCE => {
                return Err(format!("of the trace {trace} the gateway has {why}"));
            }
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}

/// What those of `spans` that are in `trace` tell of `request`, or what they lack.
fn told(spans: &[Span], trace: &str, request: &str) -> Result<String, String> {
    // They came in batches, in which are those of other traces, too.
    let spans: Vec<&Span> = spans.iter().filter(|span| span.trace == trace).collect();
    let stranger = spans.iter().find(|span| request_of(span) != request);
    let statements = spans.iter().filter_map(|span| statement(span)).count();
    match (spans.len(), stranger, statements) {
        (0, ..) => Err("no span".into()),
        (_, Some(span), _) => Err(format!(
            "a span {} whose correlation_id is {:?}",
            span.name,
            request_of(span)
        )),
        (all, None, 0) => Err(format!("{all} spans, and none with an SQL statement")),
        (all, None, some) => Ok(format!("{all} spans, {some} of them with their SQL")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn span(trace: &str, name: &str, attributes: &[(&str, &str)]) -> Span {
        let attributes = attributes.iter();
        let attributes: BTreeMap<String, String> = attributes
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Span {
            trace: trace.into(),
            id: "s".into(),
            parent: String::new(),
            service: "document-api".into(),
            name: name.into(),
            start: jiff::Timestamp::UNIX_EPOCH,
            end: jiff::Timestamp::UNIX_EPOCH,
            error: None,
            attributes,
        }
    }

    #[test]
    fn spans_must_name_their_request_and_their_sql() {
        let request = ("correlation_id", "order-12");
        let text = ("db.query.text", "SELECT 1");
        let upload = span("t", "upload_document", &[request]);
        let sql = span("t", "sql_execution", &[request, text]);
        let unnamed = span("t", "sql_execution", &[text]);
        let of_another = span("u", "sql_execution", &[text]);
        let told = |spans: &[Span]| told(spans, "t", "order-12");
        assert_eq!(
            told(std::slice::from_ref(&of_another)),
            Err("no span".into())
        );
        assert_eq!(
            told(&[upload.clone(), of_another.clone()]),
            Err("1 spans, and none with an SQL statement".into())
        );
        assert_eq!(
            told(&[upload.clone(), unnamed]),
            Err("a span sql_execution whose correlation_id is \"\"".into())
        );
        assert_eq!(
            told(&[upload, sql, of_another]),
            Ok("2 spans, 1 of them with their SQL".into())
        );
    }
}

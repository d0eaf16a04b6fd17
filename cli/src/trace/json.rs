//! Stories, for programs.

use serde_json::{Value, json};

use super::line::Line;
use super::page::{duration, since};
use super::span::statement;
use super::story::Story;
use super::tree::tree;

/// `{"traces": [{"traceId", "requestId", "request", "spans", "log", "statements"}], "notes": [""]}`;
/// spans in the order of the tree, times in milliseconds.
pub(super) fn json(stories: &[Story], notes: &[String]) -> String {
    let traces: Vec<Value> = stories.iter().map(story).collect();
    format!("{:#}\n", json!({"traces": traces, "notes": notes}))
}

fn story(story: &Story) -> Value {
    let rows = tree(&story.spans);
    let start = story.start().unwrap_or_default();
    let spans = rows.iter().map(|row| {
        let span = row.span;
        json!({
            "spanId": span.id,
            "parentSpanId": span.parent,
            "depth": row.depth,
            "service": span.service,
            "name": span.name,
            "start": span.start.to_string(),
            "offsetMs": milliseconds(since(start, span.start)),
            "durationMs": milliseconds(duration(span)),
            "error": span.error,
            "attributes": span.attributes,
        })
    });
    let statements = rows.iter().filter_map(|row| {
        let text = statement(row.span)?;
        Some(json!({"spanId": row.span.id, "durationMs": milliseconds(duration(row.span)), "text": text}))
    });
    json!({
        "traceId": story.trace,
        "requestId": story.request_id(),
        "request": story.request().map(line),
        "spans": spans.collect::<Vec<_>>(),
        "log": story.lines.iter().map(line).collect::<Vec<_>>(),
        "statements": statements.collect::<Vec<_>>(),
    })
}

fn line(line: &Line) -> Value {
    json!({
        "timestamp": line.at.to_string(),
        "level": line.level,
        "message": line.message,
        "spanId": line.span,
        "source": line.source,
        "fields": line.fields,
    })
}

fn milliseconds(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::example::{TRACE, batches, id, pod_lines};
    use super::super::story::stories;

    #[test]
    fn a_program_gets_all_that_is_known() {
        let (stories, _) = stories(&id(TRACE), pod_lines(), batches());
        insta::assert_snapshot!(super::json(&stories, &["A note.".to_owned()]));
    }
}

//! A story, for people.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::line::Line;
use super::span::{Span, statement};
use super::story::Story;
use super::tree::{Row, tree};
use crate::columns::columns;

/// Spans and lines of one story that are shown; JSON has all.
const MOST: usize = 500;

pub(super) fn page(story: &Story) -> String {
    let rows = tree(&story.spans);
    let start = story.start().unwrap_or_default();
    let mut page = head(story);
    let mut section = |title: String, text: String| {
        if !text.is_empty() {
            page.push_str(&format!("\n{title}\n{text}"));
        }
    };
    let count = match rows.len() {
        1 => "1 span".to_owned(),
        count => format!("{count} spans"),
    };
    section(format!("TRACE  {count}"), spans(&rows, start));
    section("LOG".into(), log(&story.lines));
    section("SQL".into(), statements(&rows, start));
    page
}

/// The request line, and the two ids.
fn head(story: &Story) -> String {
    let mut lines = Vec::new();
    if let Some(line) = story.request() {
        let field = |name| field(line, name);
        let status = match &*field("status") {
            "" => line.message.clone(),
            status => status.to_owned(),
        };
        let took = line.fields.get("duration_ms").and_then(Value::as_f64);
        let took = took.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
        let client = field("client");
        let words = [
            field("method"),
            field("route"),
            status,
            took.map(short).unwrap_or_default(),
            if client.is_empty() {
                client
            } else {
                format!("client {client}")
            },
        ];
        let words: Vec<String> = words.into_iter().filter(|it| !it.is_empty()).collect();
        lines.push(words.join("  "));
        lines.push(format!(
            "  at       {}, by {}",
            second(line.at),
            clean(&line.source)
        ));
    } else if let Some(first) = tree(&story.spans).first() {
        lines.push(clean(&first.span.name));
        lines.push(format!(
            "  at       {}, by {}",
            second(first.span.start),
            clean(&first.span.service)
        ));
    }
    if let Some(id) = story.request_id() {
        lines.push(format!("  request  {}", clean(id)));
    }
    lines.push(format!("  trace    {}", clean(&story.trace)));
    lines.join("\n") + "\n"
}

fn spans(rows: &[Row<'_>], start: Timestamp) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let shown = &rows[..rows.len().min(MOST)];
    let offsets = aligned(
        "START",
        shown.iter().map(|row| short(since(start, row.span.start))),
    );
    let times = aligned("TAKES", shown.iter().map(|row| short(duration(row.span))));
    let head = ["SPAN", "", "", "SERVICE", ""].map(str::to_owned);
    let cells = shown.iter().map(|row| {
        let name = format!("{}{}", row.branch, clean(&row.span.name));
        [
            name,
            String::new(),
            String::new(),
            clean(&row.span.service),
            remark(row),
        ]
    });
    let rows_of_cells = std::iter::once(head).chain(cells).zip(offsets).zip(times);
    let table: Vec<[String; 5]> = rows_of_cells
        .map(|(([name, _, _, service, remark], offset), time)| {
            [name, offset, time, service, remark]
        })
        .collect();
    columns("  ", &table) + &left_out(rows.len())
}

fn remark(row: &Row<'_>) -> String {
    let error = row.span.error.as_ref().map(|why| match &*clean(why) {
        "" => "ERROR".to_owned(),
        why => format!("ERROR {why}"),
    });
    let kept = row.span.attributes.get("docket.kept");
    let kept = kept.map(|why| format!("the only span of it that was recorded ({})", clean(why)));
    let orphan = row
        .is_orphan
        .then(|| format!("below {}, which is not here", clean(&row.span.parent)));
    let remarks: Vec<String> = [error, kept, orphan].into_iter().flatten().collect();
    remarks.join("; ")
}

fn log(lines: &[Line]) -> String {
    let shown = lines.iter().take(MOST).map(|line| {
        let fields = line
            .fields
            .keys()
            .map(|name| format!("{}={}", clean(name), field(line, name)));
        let text: Vec<String> = std::iter::once(clean(&line.message))
            .chain(fields)
            .collect();
        [
            time_of_day(line.at),
            line.level.clone(),
            clean(&line.source),
            text.join("  "),
        ]
    });
    columns("  ", &shown.collect::<Vec<_>>()) + &left_out(lines.len())
}

/// Each with its span's id, which Postgres' own log has as well.
fn statements(rows: &[Row<'_>], start: Timestamp) -> String {
    let with_sql = rows
        .iter()
        .filter_map(|row| Some((row.span, statement(row.span)?)));
    let all: Vec<_> = with_sql.collect();
    let shown = all.iter().take(MOST).map(|(span, sql)| {
        let (at, took) = (short(since(start, span.start)), short(duration(span)));
        format!(
            "  at {at}, took {took}, span {}\n    {}\n",
            clean(&span.id),
            clean(sql)
        )
    });
    shown.collect::<String>() + &left_out(all.len())
}

fn left_out(count: usize) -> String {
    match count.saturating_sub(MOST) {
        0 => String::new(),
        more => format!("  and {more} more; --output json has them\n"),
    }
}

fn field(line: &Line, name: &str) -> String {
    match line.fields.get(name) {
        None => String::new(),
        Some(Value::String(text)) => clean(text),
        Some(other) => clean(&other.to_string()),
    }
}

/// On one line, and without what a terminal would obey: others chose what is in spans and logs.
fn clean(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).collect()
}

/// A column whose texts end below each other.
fn aligned(head: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    let cells: Vec<String> = std::iter::once(head.to_owned()).chain(cells).collect();
    let width = cells
        .iter()
        .map(|cell| cell.chars().count())
        .max()
        .unwrap_or_default();
    cells
        .into_iter()
        .map(|cell| format!("{cell:>width$}"))
        .collect()
}

pub(super) fn since(start: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(start)).unwrap_or_default()
}

/// Clocks that were set back make no negative time.
pub(super) fn duration(span: &Span) -> Duration {
    since(span.start, span.end)
}

/// Three digits: `374µs`, `61.6ms`, `1.20s`.
fn short(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let three = |value: f64, unit: &str| match value {
        ..9.995 => format!("{value:.2}{unit}"),
        ..99.95 => format!("{value:.1}{unit}"),
        _ => format!("{value:.0}{unit}"),
    };
    match time.as_micros() {
        ..1_000 => format!("{}µs", time.as_micros()),
        1_000..1_000_000 => three(seconds * 1e3, "ms"),
        _ => three(seconds, "s"),
    }
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn time_of_day(at: Timestamp) -> String {
    at.strftime("%H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::example::{TRACE, batches, id, pod_lines};
    use super::super::otlp::Batches;
    use super::super::story::stories;
    use super::*;

    #[test]
    fn a_story_goes_from_the_request_to_the_statement() {
        let (stories, _) = stories(&id(TRACE), pod_lines(), batches());
        insta::assert_snapshot!(page(&stories[0]));
    }

    #[test]
    fn a_request_that_was_not_recorded_has_its_line_and_what_was_kept() {
        let (lost, _) = stories(&id(TRACE), pod_lines(), Batches::default());
        let mut kept = batches();
        kept.spans.retain(|span| span.parent == "00f067aa0ba902b7");
        for span in &mut kept.spans {
            span.attributes
                .insert("docket.kept".into(), "failed".into());
            span.error = Some(String::new());
        }
        let (kept, _) = stories(&id(TRACE), Vec::new(), kept);
        insta::assert_snapshot!([page(&lost[0]), page(&kept[0])].join("---\n"));
    }

    #[test]
    fn a_time_has_three_digits_and_its_unit() {
        for (nanoseconds, expected) in [
            (0, "0µs"),
            (999_999, "999µs"),
            (1_000_000, "1.00ms"),
            (9_996_000, "10.0ms"),
            (61_571_000, "61.6ms"),
            (999_900_000, "1000ms"),
            (1_204_000_000, "1.20s"),
            (125_000_000_000, "125s"),
        ] {
            assert_eq!(short(Duration::from_nanos(nanoseconds)), expected);
        }
    }

    #[test]
    fn what_others_wrote_cannot_move_a_terminal() {
        assert_eq!(clean("a\n\t b\u{1b}[31m\u{7}c"), "a b[31mc");
    }
}

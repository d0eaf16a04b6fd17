//! Log lines: one JSON object an event.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use opentelemetry::Context as OtelContext;
use opentelemetry::trace::TraceContextExt as _;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use crate::correlation::{CORRELATION_ID, correlation_id};
use crate::log_filter::ExportComplaints;
use crate::redact;

const COMPLAINT_PERIOD: Duration = Duration::from_secs(60);
const OWN_KEYS: [&str; 7] = [
    "timestamp",
    "level",
    "target",
    "message",
    "trace_id",
    "span_id",
    CORRELATION_ID,
];

/// Writes `{"timestamp", "level", "target", "message", "trace_id", "span_id", "correlation_id",
/// …fields of the event}`; an id that there is none of is left out, and every text is redacted.
pub(crate) struct JsonLines<W> {
    writer: W,
    complaints: ExportComplaints,
}

impl<W> JsonLines<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self {
            writer,
            complaints: ExportComplaints::every(COMPLAINT_PERIOD),
        }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !self.complaints.allows(event.metadata(), Instant::now()) {
            return;
        }
        if let Ok(mut line) = line(event) {
            line.push(b'\n');
            let mut writer = self.writer.make_writer_for(event.metadata());
            // Nobody is left to be told when stdout is gone.
            let _ = std::io::Write::write_all(&mut writer, &line);
        }
    }
}

fn line(event: &Event<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let metadata = event.metadata();
    let now = OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .unwrap_or_default();

    let mut line = Vec::with_capacity(512);
    line.extend_from_slice(b"{\"timestamp\":");
    serde_json::to_writer(&mut line, &now)?;
    entry(&mut line, "level", metadata.level().as_str())?;
    entry(&mut line, "target", metadata.target())?;
    entry(&mut line, "message", &fields.message)?;
    OtelContext::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        if span.is_valid() {
            entry(&mut line, "trace_id", &span.trace_id().to_string())?;
            entry(&mut line, "span_id", &span.span_id().to_string())?;
        }
        let id = correlation_id(context);
        id.map_or(Ok(()), |id| entry(&mut line, CORRELATION_ID, id))
    })?;
    line.append(&mut fields.rest);
    line.push(b'}');
    Ok(line)
}

/// Adds one more to the object that `line` is the beginning of.
fn entry<T: Serialize + ?Sized>(
    line: &mut Vec<u8>,
    key: &str,
    value: &T,
) -> Result<(), serde_json::Error> {
    line.push(b',');
    serde_json::to_writer(&mut *line, key)?;
    line.push(b':');
    serde_json::to_writer(line, value)
}

/// What an event says, as JSON from the first: this is written for every request.
#[derive(Default)]
struct Fields {
    message: String,
    /// Entries of an object, each after a comma.
    rest: Vec<u8>,
}

impl Fields {
    fn put<T: Serialize + ?Sized>(&mut self, field: &Field, value: &T) {
        if OWN_KEYS.contains(&field.name()) {
            return;
        }
        let before = self.rest.len();
        // Half an entry would spoil the whole line.
        if entry(&mut self.rest, field.name(), value).is_err() {
            self.rest.truncate(before);
        }
    }

    fn put_text(&mut self, field: &Field, text: &str) {
        let text = redact(text);
        match field.name() {
            "message" => self.message = text.into_owned(),
            _ => self.put(field, text.as_ref()),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put_text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, &value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put_text(field, &chain(value));
    }
}

/// An error and its causes, outermost first; a cause that its error has told already is left out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;

//! Log lines: one JSON object an event.

use std::cell::Cell;
use std::fmt::{Debug, Write as _};
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use opentelemetry::Context as OtelContext;
use opentelemetry::trace::TraceContextExt as _;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use crate::correlation::{CORRELATION_ID, correlation_id};
use crate::log_filter::ExportComplaints;
use crate::redact;

const COMPLAINT_PERIOD: Duration = Duration::from_secs(60);
/// Buffers of a longer line are not worth their memory.
const KEPT: usize = 16 * 1024;
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
        // Where a value logs as it is shown, that line has buffers of its own.
        let mut buffers = BUFFERS.try_with(Cell::take).unwrap_or_default();
        if buffers.write(event).is_ok() {
            let mut writer = self.writer.make_writer_for(event.metadata());
            // Nobody is left to be told when stdout is gone.
            let _ = writer.write_all(&buffers.line);
        }
        if buffers.line.len() <= KEPT {
            // No thread is kept from ending by its last line.
            let _ = BUFFERS.try_with(|kept| kept.set(buffers));
        }
    }
}

thread_local! {
    /// Of the line before, for its memory.
    static BUFFERS: Cell<Buffers> = Cell::default();
}

/// What a line is put together in.
#[derive(Default)]
struct Buffers {
    line: Vec<u8>,
    fields: Fields,
}

impl Buffers {
    fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.fields.clear();
        event.record(&mut self.fields);
        let metadata = event.metadata();
        let line = &mut self.line;
        line.clear();
        line.extend_from_slice(b"{\"timestamp\":\"");
        write!(line, "{}", Timestamp::now())?;
        line.push(b'"');
        entry(line, "level", metadata.level().as_str())?;
        entry(line, "target", metadata.target())?;
        entry(line, "message", &self.fields.message)?;
        OtelContext::map_current(|context| ids(line, context))?;
        line.extend_from_slice(&self.fields.rest);
        line.extend_from_slice(b"}\n");
        Ok(())
    }
}

fn ids(line: &mut Vec<u8>, context: &OtelContext) -> io::Result<()> {
    let span = context.span();
    let span = span.span_context();
    if span.is_valid() {
        id::<32>(line, "trace_id", &span.trace_id().to_bytes())?;
        id::<16>(line, "span_id", &span.span_id().to_bytes())?;
    }
    correlation_id(context).map_or(Ok(()), |id| entry(line, CORRELATION_ID, id))
}

/// Adds one more to the object that `line` is the beginning of.
fn entry<T: Serialize + ?Sized>(line: &mut Vec<u8>, key: &str, value: &T) -> io::Result<()> {
    line.push(b',');
    serde_json::to_writer(&mut *line, key)?;
    line.push(b':');
    Ok(serde_json::to_writer(line, value)?)
}

/// The same in lower-case hex, without the memory that formatting it would take.
fn id<const DIGITS: usize>(line: &mut Vec<u8>, key: &str, bytes: &[u8]) -> io::Result<()> {
    let mut digits = [0; DIGITS];
    hex::encode_to_slice(bytes, &mut digits).map_err(io::Error::other)?;
    entry(
        line,
        key,
        str::from_utf8(&digits).map_err(io::Error::other)?,
    )
}

/// What an event says, as JSON from the first: this is written for every request.
#[derive(Default)]
struct Fields {
    message: String,
    /// Entries of an object, each after a comma.
    rest: Vec<u8>,
    /// A value on its way to a text.
    shown: String,
}

impl Fields {
    fn clear(&mut self) {
        self.message.clear();
        self.rest.clear();
    }

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
            "message" => self.message.push_str(&text),
            _ => self.put(field, text.as_ref()),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut shown = std::mem::take(&mut self.shown);
        shown.clear();
        // What cannot be shown is told as far as it could.
        let _ = write!(shown, "{value:?}");
        self.put_text(field, &shown);
        self.shown = shown;
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

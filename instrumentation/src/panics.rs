//! A panic is one log line like any other, and redacted like any other.

use std::backtrace::{Backtrace, BacktraceStatus};

/// From now on, in the whole process. With `RUST_BACKTRACE` the line says how it came about.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = Backtrace::capture();
        let backtrace =
            (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(
            location = panic.location().map(tracing::field::display),
            reason = panic.payload_as_str().unwrap_or("unknown"),
            backtrace,
            "panicked"
        );
    }));
}

//! A panic is one log line like any other, and redacted like any other. Who catches it learns where it was, and
//! not what it said: that may quote a value.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location};

use futures::FutureExt as _;

/// Characters of a log line that what a panic said may have: it may quote a value of any length.
const LONGEST: usize = 1000;

thread_local! {
    /// Where this thread panicked last; it is caught on the same thread.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on, in the whole process. With `RUST_BACKTRACE` the line says how it came about.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(place);
        // A thread that ends has no such value any more.
        let _ = LAST.try_with(|last| last.replace(location.clone()));
        let backtrace = Backtrace::capture();
        let backtrace =
            (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(
            location,
            reason = bounded(panic.payload_as_str().unwrap_or("unknown")),
            backtrace,
            "panicked"
        );
    }));
}

/// Work that panicked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("panicked at {}", self.location.as_deref().unwrap_or("a place that is not known"))]
pub struct Panicked {
    /// File and line; known after [`log_panics`].
    pub location: Option<String>,
}

/// Does `work`, and ends a panic in it here. What it held is dropped on the way; nobody else may rely on what it
/// left half done in memory.
///
/// # Errors
/// It panicked.
pub async fn catch_panic<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let caught = AssertUnwindSafe(work).catch_unwind().await;
    caught.map_err(|_| Panicked {
        location: LAST.with(|last| last.take()),
    })
}

/// File and line; of a dependency, from the name of its crate on.
fn place(location: &Location<'_>) -> String {
    let file = location.file();
    let file = match file.split_once("/registry/src/") {
        Some((_, file)) => file.split_once('/').map_or(file, |(_, file)| file),
        None => file,
    };
    format!("{file}:{}", location.line())
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_catches_a_panic_learns_where_it_was_and_not_what_it_said() {
        log_panics();
        let caught = catch_panic(async { panic!("hush") }).await;
        let told = caught.expect_err("it panicked").to_string();
        assert!(
            told.contains("instrumentation/src/panics.rs:") && !told.contains("hush"),
            "{told}"
        );
        assert_eq!(catch_panic(async { 1 }).await, Ok(1));
    }

    #[test]
    fn what_a_panic_says_is_cut_at_a_character() {
        assert_eq!(bounded("short"), "short");
        assert_eq!(bounded(&"ä".repeat(2000)).chars().count(), LONGEST + 1);
    }
}

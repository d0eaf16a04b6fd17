//! Log lines on their way to stdout, some together: a busy process would pay a system call for each.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Longest that a line waits for others; a warning or an error waits for nobody.
const PATIENCE: Duration = Duration::from_millis(5);
/// Who writes more than this before they are out writes them itself, so that a slow reader of stdout
/// slows us down and no line is lost.
const MOST: usize = 256 * 1024;

/// Lines that are written by a thread of their own; clones write to the same place.
#[derive(Clone)]
pub(crate) struct BatchedLines(Arc<Lines>);

struct Lines {
    waiting: Mutex<Vec<u8>>,
    some: Condvar,
    out: Mutex<Out>,
}

struct Out {
    to: Box<dyn Write + Send>,
    /// Those on their way out; in turns with what waits, so that neither is allocated anew.
    lines: Vec<u8>,
}

impl BatchedLines {
    /// Starts the thread, which lives as long as the process.
    pub(crate) fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let lines = Arc::new(Lines {
            waiting: Mutex::default(),
            some: Condvar::new(),
            out: Mutex::new(Out {
                to: Box::new(out),
                lines: Vec::new(),
            }),
        });
        let of_thread = lines.clone();
        thread::Builder::new()
            .name("log-lines".into())
            .spawn(move || of_thread.write_for_ever())?;
        Ok(Self(lines))
    }
}

impl Lines {
    fn write_for_ever(&self) {
        loop {
            let waiting = self.waiting();
            drop(self.some.wait_while(waiting, |waiting| waiting.is_empty()));
            thread::sleep(PATIENCE);
            self.write_out();
        }
    }

    fn add(&self, line: &[u8], at_once: bool) {
        let mut waiting = self.waiting();
        let first = waiting.is_empty();
        waiting.extend_from_slice(line);
        let full = waiting.len() > MOST;
        drop(waiting);
        if at_once || full {
            self.write_out();
        } else if first {
            self.some.notify_one();
        }
    }

    /// All that wait now; who holds `out` decides what comes next, so lines keep their order.
    fn write_out(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let Out { to, lines } = &mut *out;
        std::mem::swap(lines, &mut *self.waiting());
        // Nobody is left to be told when stdout is gone.
        let _ = to.write_all(lines).and_then(|()| to.flush());
        lines.clear();
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes whole lines, of an event that may wait or not.
pub(crate) struct LineWriter<'l> {
    lines: &'l Lines,
    at_once: bool,
}

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.add(line, self.at_once);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.write_out();
        Ok(())
    }
}

impl<'l> MakeWriter<'l> for BatchedLines {
    type Writer = LineWriter<'l>;

    fn make_writer(&'l self) -> Self::Writer {
        LineWriter {
            lines: &self.0,
            at_once: false,
        }
    }

    fn make_writer_for(&'l self, metadata: &Metadata<'_>) -> Self::Writer {
        LineWriter {
            lines: &self.0,
            at_once: *metadata.level() <= Level::WARN,
        }
    }
}

/// Writes what waits when it is dropped, at the end of the process.
pub(crate) struct LastLines(pub(crate) BatchedLines);

impl std::fmt::Debug for LastLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LastLines")
    }
}

impl Drop for LastLines {
    fn drop(&mut self) {
        self.0.0.write_out();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Sink {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("a sink").clone()).expect("UTF-8")
        }
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a sink").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn write(lines: &BatchedLines, line: &str) {
        lines
            .make_writer()
            .write_all(line.as_bytes())
            .expect("written");
    }

    #[test]
    fn a_line_comes_out_by_itself() {
        let sink = Sink::default();
        let lines = BatchedLines::to(sink.clone()).expect("a thread");
        for line in ["a\n", "b\n"] {
            write(&lines, line);
            let start = Instant::now();
            while !sink.text().ends_with(line) {
                assert!(
                    start.elapsed() < Duration::from_secs(10),
                    "never written: {line}"
                );
                thread::yield_now();
            }
        }
        assert_eq!(sink.text(), "a\nb\n");
    }

    #[test]
    fn at_the_end_nothing_is_left_behind() {
        let sink = Sink::default();
        let lines = BatchedLines::to(sink.clone()).expect("a thread");
        let last = LastLines(lines.clone());
        write(&lines, "a\n");
        drop(last);
        assert_eq!(sink.text(), "a\n");
    }

    #[test]
    fn lines_of_many_threads_come_out_whole_and_in_each_threads_order() {
        let sink = Sink::default();
        let lines = BatchedLines::to(sink.clone()).expect("a thread");
        let long = "x".repeat(1000);
        thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let (lines, long) = (&lines, &long);
                scope.spawn(move || {
                    for number in 0..500 {
                        write(lines, &format!("{name} {number} {long}\n"));
                    }
                });
            }
        });
        drop(LastLines(lines));
        let text = sink.text();
        for name in ["a", "b", "c", "d"] {
            let of_thread = text.lines().filter(|line| line.starts_with(name));
            let expected = (0..500).map(|number| format!("{name} {number} {long}"));
            assert!(of_thread.eq(expected), "{name}");
        }
    }
}

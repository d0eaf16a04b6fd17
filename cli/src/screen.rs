//! Where pages and progress go.

use std::io::{BufRead as _, IsTerminal as _, Write};
use std::time::Duration;

use crate::problem::Problem;
use crate::since::spoken;

/// Pages to one side, progress to the other.
pub struct Screen<'a> {
    pages: Box<dyn Write + 'a>,
    notes: Box<dyn Write + 'a>,
    /// Progress is written over the line before.
    live: bool,
    /// Somebody sits there who can be asked.
    asks: bool,
    progress: Option<String>,
}

impl Screen<'static> {
    /// Standard output for pages, standard error for progress.
    #[must_use]
    pub fn terminal() -> Self {
        let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        Self {
            live: error.is_terminal(),
            asks: input.is_terminal() && output.is_terminal(),
            pages: Box::new(output),
            notes: Box::new(error),
            progress: None,
        }
    }
}

impl<'a> Screen<'a> {
    /// Nobody sits there: pages and progress are written to `pages` and `notes`.
    pub fn written(pages: impl Write + 'a, notes: impl Write + 'a) -> Self {
        Self {
            pages: Box::new(pages),
            notes: Box::new(notes),
            live: false,
            asks: false,
            progress: None,
        }
    }

    /// Shows a page. Who closed the other end of a pipe wants no more of it.
    pub(crate) fn page(&mut self, text: &str) {
        self.end_progress();
        let _ = self.pages.write_all(text.as_bytes());
        let _ = self.pages.flush();
    }

    /// Says what is waited for; a line of its own only when it is another than before.
    pub(crate) fn progress(&mut self, state: &str, elapsed: Duration) {
        let news = self.progress.as_deref() != Some(state);
        let _ = match (self.live, news) {
            (true, _) => write!(self.notes, "\r\x1b[K{state} ({})", spoken(elapsed)),
            (false, true) => writeln!(self.notes, "{state}"),
            (false, false) => Ok(()),
        };
        let _ = self.notes.flush();
        self.progress = Some(state.to_owned());
    }

    /// Ends the line that progress is written over.
    pub(crate) fn end_progress(&mut self) {
        if self.progress.take().is_some() && self.live {
            let _ = write!(self.notes, "\r\x1b[K");
            let _ = self.notes.flush();
        }
    }

    /// Asks a question that is answered by yes or no; `None` where nobody can be asked.
    pub(crate) async fn ask(&mut self, question: &str) -> Result<Option<bool>, Problem> {
        if !self.asks {
            return Ok(None);
        }
        self.page(&format!("{question} [y/N] "));
        let (tell, told) = tokio::sync::oneshot::channel();
        // A thread of its own: nobody waits for it when Ctrl-C is the answer.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            let answer = line.trim().to_lowercase();
            tell.send(read.is_ok() && matches!(answer.as_str(), "y" | "yes"))
        });
        tokio::select! {
            answer = told => Ok(Some(answer.unwrap_or_default())),
            _ = tokio::signal::ctrl_c() => {
                self.page("\n");
                Err(Problem::interrupted())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_nobody_watches_progress_is_a_line_for_each_new_state() {
        let (mut pages, mut notes) = (Vec::new(), Vec::new());
        let mut screen = Screen::written(&mut pages, &mut notes);
        for state in ["a", "a", "b"] {
            screen.progress(state, Duration::from_secs(1));
        }
        screen.page("done\n");
        assert_eq!(screen.ask("Sure?").await, Ok(None));
        drop(screen);
        assert_eq!((&*pages, &*notes), (&b"done\n"[..], &b"a\nb\n"[..]));
    }
}

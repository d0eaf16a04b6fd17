//! What is recorded of a document's text together with the document.

use super::decode::{decode, prefix};
use super::source::Source;
use super::summary::Summarizer;
use super::words::words;

/// Size in bytes of a file whose text is read while it is uploaded; a larger one is read afterwards.
pub(crate) const INLINE: usize = 64 * 1024;
/// Bytes of a text that are kept, and shown in snippets.
pub(super) const KEPT: usize = 1024 * 1024;
/// Bytes of a text whose words are found. A `tsvector` may have 1 MiB, and no word takes more than
/// three times its size in one.
const SEARCHED: usize = 256 * 1024;

/// Where a document's text is on its way; the values of the column `text_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextState {
    /// To be read.
    Pending,
    /// Found by its text.
    Indexed,
    /// Found by its name: there is no text in it that could be read.
    NoText,
    /// Found by its name: reading it failed, and would fail again.
    Failed,
}

impl TextState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Indexed => "Indexed",
            Self::NoText => "NoText",
            Self::Failed => "Failed",
        }
    }
}

/// The text of a document and what comes from it, as the database takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) state: TextState,
    pub(crate) text: String,
    pub(crate) summary: Option<String>,
    /// The words by which the document is found, the most important first.
    pub(crate) name_words: String,
    pub(crate) summary_words: String,
    pub(crate) text_words: String,
}

impl Texts {
    /// Of a document whose text nobody has read: found by its name.
    pub(crate) fn unread(filename: &str, file_type: &str) -> Self {
        Self {
            state: match Source::of(file_type) {
                Some(_) => TextState::Pending,
                None => TextState::NoText,
            },
            text: String::new(),
            summary: None,
            name_words: words(filename, SEARCHED),
            summary_words: String::new(),
            text_words: String::new(),
        }
    }

    /// Of a document whose text is `text`.
    pub(super) fn read(filename: &str, text: &str, summary: Option<String>) -> Self {
        Self {
            state: TextState::Indexed,
            text: prefix(text, KEPT).to_owned(),
            name_words: words(filename, SEARCHED),
            summary_words: words(summary.as_deref().unwrap_or_default(), SEARCHED),
            text_words: words(prefix(text, SEARCHED), SEARCHED),
            summary,
        }
    }

    /// Whether there is something left to do in the background.
    pub(crate) fn is_pending(&self) -> bool {
        self.state == TextState::Pending
    }

    pub(super) fn in_state(self, state: TextState) -> Self {
        Self { state, ..self }
    }

    /// Of a file of `size` bytes that starts with `start`: of the whole file when it is no larger than
    /// [`INLINE`].
    pub(super) fn at_upload(
        summarizer: &Summarizer,
        filename: &str,
        file_type: &str,
        size: u64,
        start: &[u8],
    ) -> Self {
        match Source::of(file_type) {
            Some(Source::Plain) if size == start.len() as u64 => {
                let text = decode(start);
                let summary = summarizer.at_once(&text);
                let state = summary.state();
                Self::read(filename, &text, summary.into_text()).in_state(state)
            }
            _ => Self::unread(filename, file_type),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_text_is_read_at_once_a_large_one_later_and_an_image_never() {
        let texts = |file_type, size| {
            Texts::at_upload(
                &Summarizer::Extractive,
                "a.x",
                file_type,
                size,
                b"An offer.",
            )
        };
        let read = texts("text/plain", 9);
        assert_eq!(read.state, TextState::Indexed);
        assert_eq!(read.summary.as_deref(), Some("An offer."));
        assert_eq!(read.text_words, "an offer");
        for (file_type, size, state) in [
            ("text/plain", 10, TextState::Pending),
            ("image/png", 9, TextState::NoText),
        ] {
            let unread = texts(file_type, size);
            assert_eq!(unread.state, state, "{file_type}");
            assert_eq!(
                (unread.name_words.as_str(), unread.text.as_str()),
                ("a x", "")
            );
        }
    }
}

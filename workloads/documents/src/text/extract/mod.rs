//! Reading the text of a file whose format others made up: in a process of its own, whose memory, time
//! and files are limited, because a malicious file must cost no more than its own text.

mod child;
mod confinement;
mod docx;
mod html;
mod parent;
mod pdf;

pub use child::extract_text;
pub(crate) use confinement::Confinement;
pub(crate) use parent::{Extractor, Failure, LARGEST};

/// First argument of the process that reads a file.
pub const SUBCOMMAND: &str = "extract-text";

/// In the place of a format: what the process may no longer do.
const CONFINEMENT: &str = "confinement";

/// A format that is read in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Html,
    Pdf,
    Docx,
}

impl Format {
    const ALL: [Self; 3] = [Self::Html, Self::Pdf, Self::Docx];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// The text of a file; the sentence says why there is none.
    fn read(self, file: &[u8]) -> Result<String, String> {
        match self {
            Self::Html => html::text(file),
            Self::Pdf => pdf::text(file),
            Self::Docx => docx::text(file),
        }
    }
}

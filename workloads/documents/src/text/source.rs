//! Which files have text, and how it is read.

use super::extract::Format;

/// How the text of a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The bytes are the text.
    Plain,
    /// By a process of its own.
    Format(Format),
}

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

impl Source {
    /// By the media type, parameters included; `None` when there is no text that could be read.
    pub(crate) fn of(file_type: &str) -> Option<Self> {
        let essence = file_type.split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "application/xml" | "application/yaml" => Some(Self::Plain),
            "text/html" | "application/xhtml+xml" => Some(Self::Format(Format::Html)),
            "application/pdf" => Some(Self::Format(Format::Pdf)),
            DOCX => Some(Self::Format(Format::Docx)),
            text if text.starts_with("text/") => Some(Self::Plain),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_where_there_is_some() {
        for (file_type, source) in [
            ("text/plain; charset=utf-8", Some(Source::Plain)),
            ("Text/Markdown", Some(Source::Plain)),
            ("application/json", Some(Source::Plain)),
            (
                "text/html; charset=utf-8",
                Some(Source::Format(Format::Html)),
            ),
            ("application/pdf", Some(Source::Format(Format::Pdf))),
            (DOCX, Some(Source::Format(Format::Docx))),
            ("image/png", None),
            ("application/octet-stream", None),
        ] {
            assert_eq!(Source::of(file_type), source, "{file_type}");
        }
    }
}

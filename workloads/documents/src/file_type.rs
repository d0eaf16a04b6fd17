//! The media type of a file.

use mime::Mime;

/// `type/subtype` with optional parameters (RFC 9110, 8.3.1), at most 255 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileType(Mime);

const LONGEST: usize = 255;

/// Bytes of the start of a file that are enough to tell its type.
pub(crate) const START: usize = 8 * 1024;

impl FileType {
    /// The type of content that starts with `start`: what its bytes show, else `declared` where the
    /// bytes do not speak against it, else `application/octet-stream`.
    pub(crate) fn of(start: &[u8], declared: Option<&str>) -> Self {
        let declared = declared.and_then(Self::parse);
        let shown = infer::get(start).map(|shown| shown.mime_type());
        let declared = declared.filter(|declared| declared.is_plausible(start, shown));
        declared
            .or_else(|| shown.and_then(Self::parse))
            .unwrap_or(Self(mime::APPLICATION_OCTET_STREAM))
    }

    /// Whether it may be what the bytes show, or goes further than they can show.
    fn is_plausible(&self, start: &[u8], shown: Option<&str>) -> bool {
        let essence = self.essence();
        match shown {
            // Text may start with the two or three letters that announce some other type.
            _ if essence.starts_with("text/") => is_text(start),
            Some("application/zip") => {
                essence == "application/zip"
                    || essence.ends_with("+zip")
                    || essence.starts_with("application/vnd.")
            }
            Some("text/xml") => essence.ends_with("/xml") || essence.ends_with("+xml"),
            Some(shown) => essence == shown,
            // Bytes of a type that would have been known are not of that type.
            None => !infer::is_mime_supported(essence),
        }
    }

    /// In lower case, without parameters.
    pub(super) fn essence(&self) -> &str {
        self.0.essence_str()
    }

    /// `sent` when it is a media type; without its parameters where those make no sense.
    pub(crate) fn parse(sent: &str) -> Option<Self> {
        let essence = sent.split(';').next().unwrap_or_default();
        let parsed = sent.trim().parse().or_else(|_| essence.trim().parse());
        let parsed = parsed.ok().filter(|_| sent.len() <= LONGEST);
        parsed.map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

/// No byte that only binary data has (WHATWG MIME Sniffing, 7.2), or a mark of UTF-16.
fn is_text(start: &[u8]) -> bool {
    let binary = |b: &u8| matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    start.starts_with(b"\xfe\xff") || start.starts_with(b"\xff\xfe") || !start.iter().any(binary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(start: &[u8], declared: &str) -> String {
        FileType::of(start, Some(declared)).as_str().to_owned()
    }

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0";

    #[test]
    fn bytes_that_show_their_type_win_over_what_is_declared() {
        for declared in [
            "text/plain",
            "image/jpeg",
            "application/pdf",
            "nonsense",
            "",
        ] {
            assert_eq!(of(PNG, declared), "image/png", "{declared}");
        }
        assert_eq!(
            FileType::of(b"%PDF-1.7\n%\xe2\xe3\0", None).as_str(),
            "application/pdf"
        );
        assert_eq!(of(b"<!DOCTYPE html><p>", "image/png"), "text/html");
    }

    #[test]
    fn text_and_what_no_bytes_show_are_what_is_declared() {
        for (start, declared) in [
            (b"hello".as_slice(), "text/plain"),
            (b"", "text/plain"),
            (b"<p>no doctype", "text/html; charset=utf-8"),
            (b"<!DOCTYPE html>", "text/plain"),
            (b"BMW, a report", "text/markdown"),
            ("żółw".as_bytes(), "text/plain"),
            (b"\xff\xfeh\0i\0", "text/plain"),
            (b"{}", "application/json"),
            (ZIP, "application/vnd.oasis.opendocument.text"),
            (ZIP, "application/epub+zip"),
            (b"<?xml version=\"1.0\"?><svg>", "image/svg+xml"),
            (b"\0\x01\x02", "application/x-own"),
        ] {
            assert_eq!(of(start, declared), declared);
        }
    }

    #[test]
    fn what_the_bytes_speak_against_is_unknown() {
        for (start, declared) in [
            (b"hello".as_slice(), "image/png"),
            (b"", "application/pdf"),
            (b"a\0b", "text/plain"),
            (b"hello", "text"),
            (b"hello", "te xt/plain"),
            (b"hello", "a/b\r\nc: d"),
        ] {
            assert_eq!(
                of(start, declared),
                "application/octet-stream",
                "{declared}"
            );
        }
        assert_eq!(
            FileType::of(b"hello", None).as_str(),
            "application/octet-stream"
        );
        assert_eq!(of(ZIP, "image/png"), "application/zip");
    }

    #[test]
    fn a_media_type_is_kept_as_sent_and_nothing_else_is_one() {
        for sent in ["text/plain", "text/html; charset=utf-8", "image/svg+xml"] {
            assert_eq!(FileType::parse(sent).expect("a type").as_str(), sent);
        }
        for (sent, kept) in [
            (" Text/PLAIN ", "text/plain"),
            ("text/plain; charset", "text/plain"),
            ("text/plain; charset=\u{e9}", "text/plain"),
        ] {
            assert_eq!(FileType::parse(sent).expect("a type").as_str(), kept);
        }
        let long = format!("text/{}", "a".repeat(300));
        for sent in ["", "text", "a/b/c", "te xt/plain", "a/b\r\nc: d", &long] {
            assert_eq!(FileType::parse(sent), None, "{sent:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_in_the_type_is_a_media_type(start in prop::collection::vec(any::<u8>(), 0..64), declared in ".{0,40}|[a-z]{1,5}/[a-z]{1,5}") {
            let file_type = FileType::of(&start, Some(&declared));
            prop_assert_eq!(FileType::parse(file_type.as_str()), Some(file_type));
        }
    }
}

//! The media type of a file.

/// `type/subtype` with optional parameters, printable ASCII, at most 255 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileType(String);

const UNKNOWN: &str = "application/octet-stream";
const LONGEST: usize = 255;

impl FileType {
    /// `sent` when it is a media type, else `application/octet-stream`.
    pub(crate) fn or_unknown(sent: Option<&str>) -> Self {
        sent.and_then(Self::parse)
            .unwrap_or_else(|| Self(UNKNOWN.into()))
    }

    /// `sent` when it is a media type (RFC 9110, 8.3.1).
    pub(crate) fn parse(sent: &str) -> Option<Self> {
        let essence = sent.split(';').next().unwrap_or_default().trim();
        let (kind, subtype) = essence.split_once('/')?;
        let printable = sent.bytes().all(|b| (b' '..=b'~').contains(&b));
        let valid = is_token(kind) && is_token(subtype) && printable && sent.len() <= LONGEST;
        valid.then(|| Self(sent.trim().to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_token(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_kept_as_sent() {
        for sent in ["text/plain", "text/html; charset=utf-8", "image/svg+xml"] {
            assert_eq!(FileType::or_unknown(Some(sent)).as_str(), sent);
        }
    }

    #[test]
    fn anything_else_is_unknown() {
        let long = format!("text/{}", "a".repeat(300));
        for sent in [
            None,
            Some(""),
            Some("text"),
            Some("a/b/c"),
            Some("te xt/plain"),
            Some("a/b\r\nc: d"),
            Some(&long),
        ] {
            assert_eq!(FileType::or_unknown(sent).as_str(), UNKNOWN, "{sent:?}");
        }
    }
}

//! `Content-Disposition` of a download (RFC 6266, RFC 8187).

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the `attr-char` of RFC 8187.
const NO_ATTR_CHAR: AsciiSet = NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// `attachment` with the name twice: in ASCII for old clients, and exactly.
pub(crate) fn attachment(filename: &str) -> HeaderValue {
    let ascii: String = filename
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            ' '..='~' => c,
            _ => '_',
        })
        .collect();
    let value = format!(
        "attachment; filename=\"{ascii}\"; filename*=UTF-8''{}",
        utf8_percent_encode(filename, &NO_ATTR_CHAR)
    );
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_beyond_ascii_is_given_exactly_and_as_a_fallback() {
        assert_eq!(
            attachment("żółw \"1\".txt"),
            "attachment; filename=\"___w _1_.txt\"; filename*=UTF-8''%C5%BC%C3%B3%C5%82w%20%221%22.txt"
        );
    }

    proptest! {
        #[test]
        fn the_exact_name_can_be_read_back(name in ".{1,100}") {
            let value = attachment(&name);
            let text = value.to_str().expect("ASCII");
            let exact = text.split("filename*=UTF-8''").nth(1).expect("an exact name");
            prop_assert_eq!(decoded(exact), name);
            prop_assert_eq!(text.matches('"').count(), 2);
        }
    }

    fn decoded(text: &str) -> String {
        let bytes = text.as_bytes();
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] == b'%' {
                out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).expect("hex"));
                at += 3;
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        String::from_utf8(out).expect("UTF-8")
    }
}

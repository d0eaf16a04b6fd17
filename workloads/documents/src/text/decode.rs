//! From the bytes of a text file to text.

/// The text that `bytes` are: in UTF-8, or in UTF-16 if they start with its mark. What cannot be read
/// becomes U+FFFD, and [control characters](clean) go.
pub(crate) fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => clean(&String::from_utf8_lossy(rest)),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => clean(&String::from_utf8_lossy(bytes)),
    }
}

/// Without control characters but the ends of lines and tabs: Postgres takes no NUL, and a snippet
/// marks its matches with two others.
pub(crate) fn clean(text: &str) -> String {
    let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(kept).collect()
}

/// The first `most` bytes of `text`, or up to three fewer, so that no character is cut.
pub(crate) fn prefix(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    clean(&String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_read_in_the_encoding_that_its_bytes_show() {
        for (bytes, text) in [
            ("żółw\r\n".as_bytes(), "żółw\n"),
            (b"\xef\xbb\xbfhi", "hi"),
            (b"\xff\xfeh\0i\0", "hi"),
            (b"\xfe\xff\0h\0i", "hi"),
            (b"\xff\xfe\x3d\xd8\0\xde\0", "😀"),
            (b"caf\xe9 noir", "caf\u{fffd} noir"),
            (b"a\x00b\x02c\x1b\td", "abc\td"),
            (b"", ""),
        ] {
            assert_eq!(decode(bytes), text, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_the_text_can_be_stored(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let text = decode(&bytes);
            prop_assert!(text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
        }

        #[test]
        fn utf_8_without_control_characters_stays_as_it_is(text in "[^\\p{Cc}\u{feff}]{0,40}") {
            prop_assert_eq!(decode(text.as_bytes()), text);
        }

        #[test]
        fn a_prefix_is_as_long_as_it_may_be(text in ".{0,20}", most in 0_usize..40) {
            let prefix = prefix(&text, most);
            prop_assert!(text.starts_with(prefix) && prefix.len() <= most);
            prop_assert!(prefix.len() == text.len() || prefix.len() + 4 > most);
        }
    }
}

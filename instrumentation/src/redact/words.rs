//! The word around a piece of a text.

use std::ops::Range;

/// Lengths of what our telemetry names in lower-case hex: a span, a trace or UUID, two hashes.
const ID_LENGTHS: [usize; 4] = [16, 32, 40, 64];

/// The letters and digits around `piece`.
pub(super) fn around(text: &[u8], piece: &Range<usize>) -> Range<usize> {
    let before = text[..piece.start].iter().rev();
    let after = text[piece.end..].iter();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric();
    let start = piece.start - before.take_while(is_part).count();
    let end = piece.end + after.take_while(is_part).count();
    start..end
}

/// Whether `text` is a UUID as it is usually written (RFC 9562, 4), in lower case.
pub(super) fn is_uuid(text: &str) -> bool {
    const LENGTH: usize = 36;
    text.len() == LENGTH
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Whether `word` is an id that a machine made, whatever its digits happen to be.
pub(super) fn is_id(word: &[u8]) -> bool {
    ID_LENGTHS.contains(&word.len())
        && word.iter().any(u8::is_ascii_lowercase)
        && word
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

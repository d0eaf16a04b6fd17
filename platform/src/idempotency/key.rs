//! The header.

use http::{HeaderMap, HeaderName};
use sfv::Parser;

use crate::error::Error;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// 1 to 255 characters, from space to tilde.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key of a request; the string of the draft (`"a"`, RFC 9651) and what most callers send
    /// (`a`) are the same key.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for what is no key, or two.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, Error> {
        let mut values = headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let key = match values.next() {
            None => parse(value.as_bytes()),
            Some(_) => None,
        };
        let bad = || {
            let sentence = "the header Idempotency-Key must be given once, with 1 to 255 printable \
                            ASCII characters, bare or as a quoted string";
            Error::BadRequest(sentence.into())
        };
        key.map(Some).ok_or_else(bad)
    }

    /// Without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parse(value: &[u8]) -> Option<IdempotencyKey> {
    let text = std::str::from_utf8(value).ok()?;
    let key = match text.starts_with('"') {
        true => {
            let item: sfv::Item = Parser::new(text).parse().ok()?;
            item.bare_item.as_string()?.as_str().to_owned()
        }
        false => text.to_owned(),
    };
    let sane =
        (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| (b' '..=b'~').contains(&b));
    sane.then_some(IdempotencyKey(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn of(values: &[&[u8]]) -> Option<Option<String>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value).expect("a value"));
        }
        let key = IdempotencyKey::of(&headers).ok()?;
        Some(key.map(|key| key.0))
    }

    #[test]
    fn a_key_is_bare_or_quoted() {
        let uuid = "8e03978e-40d5-43e8-bc93-6894a57f9324";
        let quoted = format!("\"{uuid}\"");
        assert_eq!(of(&[]), Some(None));
        assert_eq!(of(&[uuid.as_bytes()]), Some(Some(uuid.into())));
        assert_eq!(of(&[quoted.as_bytes()]), Some(Some(uuid.into())));
        assert_eq!(of(&[br#""a \"b\"";c=1"#]), Some(Some(r#"a "b""#.into())));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = vec![b'a'; 256];
        for values in [
            &[b"".as_slice()][..],
            &[b"\"\""],
            &[b"\"a"],
            &[b"\"a\", \"b\""],
            &[b"a", b"a"],
            &["ż".as_bytes()],
            &[b"a\tb"],
            &[&long],
        ] {
            assert_eq!(of(values), None, "{values:?}");
        }
        assert!(of(&[&long[1..]]).is_some());
    }

    proptest! {
        #[test]
        fn quoted_or_not_it_is_the_same_key(key in "[!#-~]([ -~]{0,100}[!-~])?") {
            let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(of(&[key.as_bytes()]), Some(Some(key.clone())));
            prop_assert_eq!(of(&[quoted.as_bytes()]), Some(Some(key)));
        }
    }
}

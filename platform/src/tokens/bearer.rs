//! The token of a request: `Authorization: Bearer <token>` (RFC 6750, 2.1).

use http::{HeaderMap, header};

use crate::error::Error;

const SCHEME: &str = "bearer ";
/// Longer than any token of an issuer that its callers can use elsewhere.
const LONGEST: usize = 16 * 1024;

/// # Errors
/// [`Error::TokenMissing`] without one, [`Error::TokenRefused`] for what cannot be one.
pub fn token(headers: &HeaderMap) -> Result<&str, Error> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (sent.next(), sent.next());
    if second.is_some() {
        return Err(Error::TokenRefused(
            "the header Authorization is there more than once".into(),
        ));
    }
    let value = first.and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| {
        let scheme = value.get(..SCHEME.len())?;
        let bearer = scheme.eq_ignore_ascii_case(SCHEME);
        bearer.then(|| value[SCHEME.len()..].trim())
    });
    match token {
        None | Some("") => Err(Error::TokenMissing),
        Some(token) if token.len() > LONGEST => Err(Error::TokenRefused(format!(
            "the token is longer than {LONGEST} characters"
        ))),
        Some(token) => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn sent(values: &[&str]) -> HeaderMap {
        let values = values
            .iter()
            .map(|value| HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        values.map(|value| (header::AUTHORIZATION, value)).collect()
    }

    #[test]
    fn the_scheme_is_written_in_any_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "] {
            assert_eq!(token(&sent(&[value])).expect("a token"), "a.b.c");
        }
    }

    #[test]
    fn what_is_no_bearer_token_is_missing_or_refused() {
        for value in ["", "Bearer", "Bearer ", "Basic Zm9v", "a.b.c", "Bearerä x"] {
            assert!(
                matches!(token(&sent(&[value])), Err(Error::TokenMissing)),
                "{value}"
            );
        }
        assert!(matches!(token(&sent(&[])), Err(Error::TokenMissing)));
        let long = format!("Bearer {}", "a".repeat(LONGEST + 1));
        for values in [&[&*long][..], &["Bearer a", "Bearer b"]] {
            assert!(matches!(token(&sent(values)), Err(Error::TokenRefused(_))));
        }
    }
}

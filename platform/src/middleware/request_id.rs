//! `X-Request-ID`: the caller's, or a new one; in the answer, the log and the traces.

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 128;

/// The correlation id of a request.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(HEADER).and_then(|value| value.to_str().ok());
        let id = sent.filter(|id| is_sane(id));
        Self(id.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned))
    }

    pub(super) fn tell(self, response: &mut Response) {
        if let Ok(value) = HeaderValue::try_from(self.0) {
            response.headers_mut().insert(HEADER, value);
        }
    }
}

/// Whether an id may be repeated in headers and logs; a card number or a token may not.
fn is_sane(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && docket_instrumentation::is_clean(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn length_is_bounded() {
        assert!(!is_sane(""));
        assert!(is_sane(&"a".repeat(128)));
        assert!(!is_sane(&"a".repeat(129)));
    }

    #[test]
    fn what_is_personal_is_no_id() {
        for id in [
            "4111-1111-1111-1111",
            "078-05-1120",
            "GB29NWBK60161331926819",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
            "AKIAIOSFODNN7EXAMPLE",
        ] {
            assert!(!is_sane(id), "{id}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sane_is_a_header_value_that_needs_no_escape(id in ".{0,200}") {
            if is_sane(&id) {
                let value = HeaderValue::try_from(id.as_str()).expect("a value");
                prop_assert_eq!(value.as_bytes(), id.as_bytes());
                let json = serde_json::to_string(&id).expect("JSON");
                prop_assert_eq!(json, format!("\"{id}\""));
            }
        }

        #[test]
        fn the_usual_ids_are_sane(id in "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z._-]{0,40}[0-9]{1,8}|01[0-9A-HJKMNP-TV-Z]{24}") {
            prop_assert!(is_sane(&id));
        }
    }
}

//! Who may keep an answer to a client: its caller alone, who asks each time whether it is still so.
//!
//! RFC 9111, 3.5 keeps shared caches from answers to requests with `Authorization`, and knows no other credential.

use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderValue};

const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// All that says whose request it is; in one field, since each further one of a name takes memory of its own.
const CREDENTIALS: HeaderValue = HeaderValue::from_static("authorization, x-api-key, x-client");

/// Says so of an answer with these `headers`.
pub(super) fn keep_private(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(PRIVATE);
    headers.append(VARY, CREDENTIALS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_contract::{API_KEY_HEADER, CLIENT_HEADER};
    use http::header::AUTHORIZATION;

    #[test]
    fn an_answer_varies_by_every_header_that_says_whose_request_it_is() {
        let mut headers = HeaderMap::new();
        keep_private(&mut headers);
        let expected = [AUTHORIZATION.as_str(), API_KEY_HEADER, CLIENT_HEADER].join(", ");
        assert_eq!(headers[VARY], expected);
    }
}

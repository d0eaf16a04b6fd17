//! Who may keep an answer to a client: its caller alone, who asks each time whether it is still so.
//!
//! RFC 9111, 3.5 keeps shared caches from answers to requests with `Authorization`, and knows no other credential.

use docket_contract::{API_KEY_HEADER, CLIENT_HEADER};
use http::header::{AUTHORIZATION, CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// All that says whose request it is.
const CREDENTIALS: [HeaderName; 3] = [
    AUTHORIZATION,
    HeaderName::from_static(API_KEY_HEADER),
    HeaderName::from_static(CLIENT_HEADER),
];

/// Says so of an answer with these `headers`.
pub(super) fn keep_private(headers: &mut HeaderMap) {
    headers.entry(CACHE_CONTROL).or_insert(PRIVATE);
    for credential in CREDENTIALS {
        headers.append(VARY, credential.into());
    }
}

//! Conditional requests (RFC 9110, 13): what the caller has, against what there is.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use headers::{ETag, HeaderMapExt as _, IfMatch, IfNoneMatch, IfRange};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// Bytes that the JSON of an answer seldom exceeds, within what the libc keeps at hand for each thread.
const USUAL: usize = 1000;

/// Header fields that an answer seldom exceeds, with those of the layers around it.
const FIELDS: usize = 12;

/// What the preconditions of a read leave to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What was asked for.
    Answer,
    /// The caller has it already: 304.
    NotModified,
}

/// The strong validator of bytes that have this hash.
pub fn strong_etag(sha256: &[u8]) -> ETag {
    let mut quoted = vec![b'"'; 2 + 2 * sha256.len()];
    hex::encode_to_slice(sha256, &mut quoted[1..=2 * sha256.len()]).expect("two digits a byte");
    let quoted = String::from_utf8(quoted).expect("hex digits are ASCII");
    quoted.parse().expect("they are an entity tag in quotes")
}

/// `If-Match` and `If-None-Match` of a GET or HEAD, in the order of RFC 9110, 13.2.2.
///
/// # Errors
/// [`Error::PreconditionFailed`] when `If-Match` names other versions only, or nonsense.
pub fn evaluate(headers: &HeaderMap, current: &ETag) -> Result<Verdict, Error> {
    let matches = match headers.typed_try_get::<IfMatch>() {
        Ok(wanted) => wanted.is_none_or(|wanted| wanted.precondition_passes(current)),
        Err(_) => false,
    };
    if !matches {
        return Err(Error::PreconditionFailed);
    }
    let changed = headers
        .typed_get::<IfNoneMatch>()
        .is_none_or(|had| had.precondition_passes(current));
    Ok(match changed {
        true => Verdict::Answer,
        false => Verdict::NotModified,
    })
}

/// `If-Match` and `If-None-Match` of a change of what has the validator `current`.
///
/// # Errors
/// [`Error::PreconditionFailed`] when either speaks against it.
pub fn permit(headers: &HeaderMap, current: &ETag) -> Result<(), Error> {
    match evaluate(headers, current)? {
        Verdict::Answer => Ok(()),
        Verdict::NotModified => Err(Error::PreconditionFailed),
    }
}

/// The same for a change that must say by `If-Match` what it changes (RFC 6585, 3).
///
/// # Errors
/// [`Error::PreconditionRequired`] without it.
pub fn require_match(headers: &HeaderMap, current: &ETag) -> Result<(), Error> {
    match headers.contains_key(header::IF_MATCH) {
        true => permit(headers, current),
        false => Err(Error::PreconditionRequired),
    }
}

/// Whether `If-Range` lets `Range` count: it must be the same version, by a strong comparison.
pub fn range_counts(headers: &HeaderMap, current: &ETag) -> bool {
    match headers.typed_try_get::<IfRange>() {
        Ok(had) => had.is_none_or(|had| !had.is_modified(Some(current), None)),
        Err(_) => false,
    }
}

/// 304 without a body.
pub fn not_modified(current: ETag) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    response.headers_mut().typed_insert(current);
    response
}

/// 200 with `value` as JSON under the strong validator of just these bytes, or 304.
///
/// # Errors
/// [`Error::PreconditionFailed`].
pub fn json(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Error> {
    let representation = Representation::of(value)?;
    match evaluate(headers, &representation.etag)? {
        Verdict::Answer => Ok(representation.into_response()),
        Verdict::NotModified => Ok(not_modified(representation.etag)),
    }
}

/// A value as the API shows it, in JSON.
pub struct Representation {
    json: Vec<u8>,
    /// The strong validator of just these bytes.
    pub etag: ETag,
}

impl Representation {
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, Error> {
        let mut json = Vec::with_capacity(USUAL);
        serde_json::to_writer(&mut json, value).map_err(Error::Encoding)?;
        let etag = strong_etag(&Sha256::digest(&json));
        Ok(Self { json, etag })
    }
}

impl IntoResponse for Representation {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json));
        let headers = response.headers_mut();
        headers.reserve(FIELDS);
        let media_type = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, media_type);
        headers.typed_insert(self.etag);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::try_from(value).expect("a value"))])
    }

    fn current() -> ETag {
        "\"now\"".parse().expect("a tag")
    }

    #[test]
    fn if_match_needs_the_very_version() {
        for (sent, passes) in [
            ("\"now\"", true),
            ("*", true),
            ("\"old\", \"now\"", true),
            ("\"old\"", false),
            ("W/\"now\"", false),
            ("nonsense", false),
            ("", false),
        ] {
            let verdict = evaluate(&with(header::IF_MATCH, sent), &current());
            assert_eq!(verdict.is_ok(), passes, "{sent}");
        }
    }

    #[test]
    fn if_none_match_saves_the_answer_to_who_has_it() {
        for (sent, saves) in [
            ("\"now\"", true),
            ("W/\"now\"", true),
            ("*", true),
            ("\"old\", \"now\"", true),
            ("\"old\"", false),
            ("now", false),
        ] {
            let verdict = evaluate(&with(header::IF_NONE_MATCH, sent), &current()).expect("passes");
            assert_eq!(verdict == Verdict::NotModified, saves, "{sent}");
        }
    }

    #[test]
    fn if_match_comes_first() {
        let mut headers = with(header::IF_NONE_MATCH, "\"now\"");
        headers.insert(header::IF_MATCH, HeaderValue::from_static("\"old\""));
        assert!(evaluate(&headers, &current()).is_err());
    }

    #[test]
    fn a_change_is_made_to_what_the_caller_knows_and_to_nothing_else() {
        for (name, sent, allowed) in [
            (header::IF_MATCH, "\"now\"", true),
            (header::IF_MATCH, "*", true),
            (header::IF_MATCH, "\"old\"", false),
            (header::IF_NONE_MATCH, "\"old\"", true),
            (header::IF_NONE_MATCH, "\"now\"", false),
            (header::IF_NONE_MATCH, "*", false),
        ] {
            let headers = with(name.clone(), sent);
            let permitted = permit(&headers, &current());
            assert_eq!(permitted.is_ok(), allowed, "{name}: {sent}");
            let required = require_match(&headers, &current());
            let told = name == header::IF_MATCH;
            assert_eq!(required.is_ok(), allowed && told, "{name}: {sent}");
        }
        assert!(permit(&HeaderMap::new(), &current()).is_ok());
        let untold = require_match(&HeaderMap::new(), &current());
        assert!(matches!(untold, Err(Error::PreconditionRequired)));
    }

    #[test]
    fn a_range_counts_for_the_same_bytes_only() {
        assert!(range_counts(&HeaderMap::new(), &current()));
        for (sent, counts) in [
            ("\"now\"", true),
            ("\"old\"", false),
            ("W/\"now\"", false),
            ("Sat, 29 Oct 1994 19:43:31 GMT", false),
            ("nonsense", false),
        ] {
            let headers = with(header::IF_RANGE, sent);
            assert_eq!(range_counts(&headers, &current()), counts, "{sent}");
        }
    }

    proptest! {
        #[test]
        fn json_that_differs_has_another_validator(one in ".{0,20}", other in ".{0,20}") {
            let tag = |value: &str| {
                let answer = json(&HeaderMap::new(), &value).expect("an answer");
                answer.headers()[header::ETAG].clone()
            };
            prop_assert_eq!(tag(&one) == tag(&other), one == other);
            let again = json(&with(header::IF_NONE_MATCH, tag(&one).to_str().expect("ASCII")), &one);
            prop_assert_eq!(again.expect("an answer").status(), StatusCode::NOT_MODIFIED);
        }
    }
}

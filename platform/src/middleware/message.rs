//! What HTTP asks of every request, and hyper leaves to us.

use http::{HeaderMap, Version, header};

use crate::error::Error;

/// # Errors
/// [`Error::BadRequest`].
pub(super) fn check(version: Version, headers: &HeaderMap) -> Result<(), Error> {
    match problem(version, headers) {
        Some(problem) => Err(Error::BadRequest(problem.into())),
        None => Ok(()),
    }
}

/// One `Host` (RFC 9112, 3.2), and no coding that nobody here can undo (6.1).
fn problem(version: Version, headers: &HeaderMap) -> Option<&'static str> {
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && version >= Version::HTTP_11) {
        return Some("a request has one header Host");
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let understood = codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    (!understood).then_some("no Transfer-Encoding but chunked is understood")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_request_has_one_host_unless_it_is_older_than_that_rule() {
        let one = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("a"))]);
        let mut two = one.clone();
        two.append(header::HOST, HeaderValue::from_static("a"));
        for (version, headers, is_fine) in [
            (Version::HTTP_11, &one, true),
            (Version::HTTP_11, &two, false),
            (Version::HTTP_11, &HeaderMap::new(), false),
            (Version::HTTP_10, &HeaderMap::new(), true),
            (Version::HTTP_10, &two, false),
        ] {
            assert_eq!(problem(version, headers).is_none(), is_fine, "{headers:?}");
        }
    }

    #[test]
    fn chunks_are_understood_and_other_codings_are_not() {
        for (coding, is_fine) in [
            ("chunked", true),
            ("Chunked", true),
            ("gzip, chunked", false),
        ] {
            let headers = HeaderMap::from_iter([
                (header::HOST, HeaderValue::from_static("a")),
                (header::TRANSFER_ENCODING, HeaderValue::from_static(coding)),
            ]);
            assert_eq!(
                problem(Version::HTTP_11, &headers).is_none(),
                is_fine,
                "{coding}"
            );
        }
    }
}

//! The publishable key of a request: in the header of other keys, or in the query where a page can send
//! no header along (`navigator.sendBeacon`).

use axum::extract::{OriginalUri, Request};
use docket_contract::{API_KEY_HEADER, PUBLISHABLE_KEY_PARAMETER, PUBLISHABLE_PREFIX};
use http::Uri;
use http::uri::PathAndQuery;

/// Takes the key out of `request`, if there is one. A key in the query is nowhere in it afterwards, so
/// that no handler repeats it.
pub(super) fn take_key(request: &mut Request) -> Option<String> {
    let header = request.headers().get(API_KEY_HEADER);
    let sent = header.and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let (key, rest) =
        split(request.uri()).map_or((None, None), |(key, rest)| (Some(key), Some(rest)));
    if let Some(uri) = rest {
        if let Some(OriginalUri(original)) = request.extensions_mut().get_mut() {
            original.clone_from(&uri);
        }
        *request.uri_mut() = uri;
    }
    let mut keys = sent.into_iter().chain(key);
    keys.find(|key| key.starts_with(PUBLISHABLE_PREFIX))
}

/// The key in the query of `uri`, and the same without it.
fn split(uri: &Uri) -> Option<(String, Uri)> {
    let parts = || uri.query().unwrap_or_default().split('&');
    let key = parts().find_map(key_in)?;
    let rest: Vec<&str> = parts().filter(|part| key_in(part).is_none()).collect();
    let path = match rest[..] {
        [] => uri.path().to_owned(),
        _ => format!("{}?{}", uri.path(), rest.join("&")),
    };
    let mut without = uri.clone().into_parts();
    without.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Some((key, Uri::from_parts(without).ok()?))
}

/// The key, if this part of a query is one.
fn key_in(part: &str) -> Option<String> {
    let (name, value) = form_urlencoded::parse(part.as_bytes()).next()?;
    (name == PUBLISHABLE_KEY_PARAMETER).then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(uri: &'static str, key: Option<&str>) -> Request {
        let mut request = Request::get(uri);
        if let Some(key) = key {
            request = request.header(API_KEY_HEADER, key);
        }
        let mut request = request.body(Body::empty()).expect("a request");
        let original = OriginalUri(Uri::from_static(uri));
        request.extensions_mut().insert(original);
        request
    }

    #[test]
    fn a_key_comes_in_the_header_or_in_the_query_and_the_header_goes_before() {
        for (uri, header, expected) in [
            ("/a", None, None),
            ("/a?key=pk_1", None, Some("pk_1")),
            ("/a?b=c&k%65y=p%6B_1", None, Some("pk_1")),
            ("/a?key=pk_1", Some("pk_2"), Some("pk_2")),
            ("/a?key=pk_1", Some("dk_2"), Some("pk_1")),
            ("/a?key=dk_1", None, None),
            ("/a", Some("dk_2"), None),
            ("/a?monkey=pk_1", None, None),
        ] {
            let taken = take_key(&mut request(uri, header));
            assert_eq!(taken.as_deref(), expected, "{uri} {header:?}");
        }
    }

    #[test]
    fn no_key_is_left_in_the_query_and_all_else_is() {
        for (uri, left) in [
            ("/a?key=pk_1", "/a"),
            ("/a?key=pk_1&key=pk_2&b=%20c", "/a?b=%20c"),
            ("/a?b&key=dk_1&b=2", "/a?b&b=2"),
            ("/a?k%65y=pk_1&b", "/a?b"),
            ("/a?b=1", "/a?b=1"),
            ("http://docket/a?key=pk_1", "http://docket/a"),
        ] {
            let mut request = request(uri, None);
            take_key(&mut request);
            assert_eq!(request.uri().to_string(), left);
            let original = request.extensions().get::<OriginalUri>();
            assert_eq!(original.expect("it stays").0.to_string(), left);
        }
    }
}

//! The end of a page and the way to the next.

use axum::response::Response;
use http::{HeaderValue, Uri, header};

const CURSOR: &str = "cursor";

/// Leaves the first `limit` of `rows`, of which one more was asked for, and tells the `cursor` of the
/// next page if that one was there.
pub(crate) fn cut<T>(
    rows: &mut Vec<T>,
    limit: u32,
    cursor: impl FnOnce(&T) -> String,
) -> Option<String> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    last.map(cursor)
}

/// `response` to `uri` with `Link: <…>; rel="next"` (RFC 8288), if there is a next page.
pub(crate) fn with_link(mut response: Response, uri: &Uri, next: Option<&str>) -> Response {
    if let Some(link) = next.and_then(|next| link(uri, next)) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The same query with another cursor.
fn link(uri: &Uri, next: &str) -> Option<HeaderValue> {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query.filter(|(name, _)| name != CURSOR))
        .append_pair(CURSOR, next)
        .finish();
    HeaderValue::try_from(format!("<{}?{query}>; rel=\"next\"", uri.path())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_keeps_the_query_and_replaces_the_cursor() {
        let uri = Uri::from_static("/clients/globex/documents?name=a%26b%3E&cursor=1&limit=2");
        assert_eq!(
            link(&uri, "2").expect("a link"),
            "</clients/globex/documents?name=a%26b%3E&limit=2&cursor=2>; rel=\"next\""
        );
    }

    #[test]
    fn the_one_more_is_not_shown_and_says_that_there_is_a_next_page() {
        let mut rows = vec![3, 2, 1];
        let next = cut(&mut rows, 2, |id: &i32| id.to_string());
        assert_eq!(next.as_deref(), Some("2"));
        assert_eq!(rows, [3, 2]);
        assert_eq!(cut(&mut rows, 2, |id| id.to_string()), None);
    }
}

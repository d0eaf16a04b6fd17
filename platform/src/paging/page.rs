//! The end of a page and the way to the next.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Uri, header};
use serde::Serialize;

const CURSOR: &str = "cursor";

/// What a page shows.
#[derive(Debug)]
pub struct Cut<T> {
    rows: Vec<T>,
    /// The cursor of the next page, if there is one.
    next: Option<String>,
}

/// The first `limit` of `rows`, of which one more was asked for; if that was there, the next page starts
/// at the `cursor` after the last that is left.
pub fn cut<T>(mut rows: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Cut<T> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(cursor);
    Cut { rows, next }
}

impl<T> Cut<T> {
    /// The answer to `uri` with the `body` that is made of rows and cursor, and the header `Link: <…>;
    /// rel="next"` (RFC 8288) if there is a next page.
    pub fn answer<B: Serialize>(
        self,
        uri: &Uri,
        body: impl FnOnce(Vec<T>, Option<String>) -> B,
    ) -> Response {
        let link = self.next.as_deref().and_then(|next| link(uri, next));
        let mut response = Json(body(self.rows, self.next)).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
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
        let page = cut(vec![3, 2, 1], 2, |id: &i32| id.to_string());
        assert_eq!(page.next.as_deref(), Some("2"));
        assert_eq!(page.rows, [3, 2]);
        let last = cut(page.rows, 2, |id| id.to_string());
        assert_eq!(last.next, None);
    }
}

//! `GET /clients/{client}/documents`.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Uri, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::filter::Page;
use super::{Cursor, Document, repository};
use crate::app::SharedApp;
use crate::error::Error;
use crate::middleware::auth::Caller;

const CURSOR: &str = "cursor";

/// A page.
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    /// Newest first.
    #[schema(max_items = 100)]
    documents: Vec<Document>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required, pattern = "^0[0-2][0-9a-f]{30}$")]
    next: Option<String>,
}

/// List documents, newest first
///
/// Follow `Link`, or send `next` as `cursor` with the same filters, until there is none.
#[utoipa::path(
    get,
    path = "/clients/{client}/documents",
    tag = "documents",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
            description = "So many on a page; 50 unless told"),
        ("cursor" = Option<String>, Query, pattern = "^0[0-2][0-9a-f]{30}$",
            description = "What comes after the page that had this as `next`"),
        ("type" = Option<String>, Query, max_length = 255,
            pattern = "^[a-zA-Z0-9!#$%&'*+.^_`|~-]+/[a-zA-Z0-9!#$%&'*+.^_`|~-]+$",
            description = "One media type such as `text/plain`, or all of a kind such as `image/*`"),
        ("name" = Option<String>, Query, min_length = 1, max_length = 255,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$",
            description = "Names that contain this, upper or lower case"),
        ("uploaded_after" = Option<String>, Query, format = DateTime,
            description = "Those uploaded later (RFC 3339)"),
        ("uploaded_before" = Option<String>, Query, format = DateTime,
            description = "Those uploaded earlier (RFC 3339)"),
    ),
    responses(
        (status = 200, description = "A page", body = Listed, headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"` (RFC 8288), if there is one"),
        )),
    )
)]
#[tracing::instrument(name = "list_documents", skip_all, err(level = "debug"))]
pub(crate) async fn list_documents(
    State(app): SharedApp,
    Caller(client): Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Error> {
    let page = Page::parse(uri.query().unwrap_or_default())?;
    // One more than is shown tells whether there is a next page.
    let most = page.limit + 1;
    let mut documents =
        repository::list(&app.database, &client, &page.filter, page.start, most).await?;
    let more = documents.len() > page.limit as usize;
    documents.truncate(page.limit as usize);
    let last = documents.last().filter(|_| more);
    let next = last.map(|last| Cursor::after(last).encode());
    let link = next.as_deref().and_then(|next| link(&uri, next));
    let mut response = Json(Listed { documents, next }).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
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
}

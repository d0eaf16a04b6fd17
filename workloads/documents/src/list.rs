//! `GET /clients/{client}/documents`.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use docket_platform::database::Database;
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::paging::{self, Cursor};
use docket_platform::tenant::Client;
use serde::Serialize;
use utoipa::ToSchema;

use super::filter::{Order, Page};
use super::search::{self, SearchCursor, SearchHit};
use super::{Document, change, repository};

/// A page.
#[derive(Debug, Serialize, ToSchema)]
struct Listed {
    /// Newest first, or with `q` the best first.
    #[schema(max_items = 100)]
    documents: Vec<ListedDocument>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required, pattern = "^0[0-2][0-9a-f]{30}$")]
    next: Option<String>,
}

/// A document on a page.
#[derive(Debug, Serialize, ToSchema)]
struct ListedDocument {
    #[serde(flatten)]
    document: Document,
    /// Only with `q`: how well the document fits; the larger, the better.
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<f32>,
    /// Only with `q`, of a document with text: the part of it that fits, as HTML with the matches in
    /// `<mark>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "this is our <mark>offer</mark>")]
    snippet: Option<String>,
    #[serde(skip)]
    cursor: String,
}

/// List documents, newest first, or search them, best first
///
/// A search looks through names, summaries and texts, and ranks the newest 1000 documents that match.
/// Follow `Link`, or send `next` as `cursor` with the same filters, until there is none.
#[utoipa::path(
    get,
    path = "/documents",
    tag = "documents",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
            description = "So many on a page; 50 unless told"),
        ("q" = Option<String>, Query, max_length = 256, pattern = "[0-9A-Za-z]",
            description = "Words that must all be there, `\"words in a row\"`, `or`, and `-` before what \
                must not be there"),
        ("cursor" = Option<String>, Query, pattern = "^0[0-2][0-9a-f]{30}$",
            description = "What comes after the page that had this as `next`"),
        ("type" = Option<String>, Query, max_length = 255,
            pattern = "^[a-zA-Z0-9!#$%&'*+.^_`|~-]+/[a-zA-Z0-9!#$%&'*+.^_`|~-]+$",
            description = "One media type such as `text/plain`, or all of a kind such as `image/*`"),
        ("tag" = Option<String>, Query, min_length = 1, max_length = 64,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
            description = "Those that have this tag"),
        ("deleted" = Option<bool>, Query,
            description = "With `true` those in the trash, the last deleted first; not with `q`"),
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
    State(database): State<Arc<Database>>,
    Caller { client, .. }: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Error> {
    let page = Page::parse(uri.query().unwrap_or_default())?;
    let documents = items(&database, &client, &page).await?;
    let page = paging::cut(documents, page.limit, |last| last.cursor.clone());
    Ok(page.answer(&uri, |documents, next| Listed { documents, next }))
}

/// One more than is shown tells whether there is a next page.
async fn items(
    database: &Database,
    client: &Client,
    page: &Page,
) -> Result<Vec<ListedDocument>, Error> {
    let (filter, most) = (&page.filter, page.limit + 1);
    Ok(match &page.order {
        Order::Newest(start) => {
            let from = (change::LifecycleStage::Live, *start);
            let documents = repository::list(database, client, filter, from, most).await?;
            documents.into_iter().map(ListedDocument::listed).collect()
        }
        Order::LastDeleted(start) => {
            let from = (change::LifecycleStage::Trash, *start);
            let documents = repository::list(database, client, filter, from, most).await?;
            documents.into_iter().map(ListedDocument::listed).collect()
        }
        Order::Best(query, start) => {
            let found = search::search(database, client, query, filter, *start, most).await?;
            found.into_iter().map(ListedDocument::found).collect()
        }
    })
}

impl ListedDocument {
    fn listed(document: Document) -> Self {
        let cursor = Cursor {
            timestamp: document
                .deleted_timestamp
                .unwrap_or(document.upload_timestamp),
            id: document.id,
        };
        Self {
            cursor: cursor.encode(),
            document,
            rank: None,
            snippet: None,
        }
    }

    fn found(found: SearchHit) -> Self {
        Self {
            cursor: SearchCursor::after(&found).encode(),
            document: found.document,
            rank: Some(found.rank),
            snippet: found.snippet,
        }
    }
}

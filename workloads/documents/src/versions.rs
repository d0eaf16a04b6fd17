//! `GET /clients/{client}/documents/{id}/versions`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use docket_platform::database::Database;
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::paging;
use docket_platform::timestamp::microseconds;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::metadata::DocumentPath;
use super::model::lower_hex;
use super::version_page::VersionPage;
use super::version_repository;

/// A content that a document has, or had.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Version {
    #[schema(minimum = 1)]
    pub(super) version: i32,
    /// In bytes.
    #[schema(minimum = 0, example = 50)]
    pub(super) file_size: i64,
    /// A media type: what the bytes show.
    #[schema(max_length = 255, example = "text/plain")]
    pub(super) file_type: String,
    #[serde(serialize_with = "lower_hex")]
    #[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
    pub(super) sha256: Vec<u8>,
    /// When this content came, in UTC.
    #[serde(serialize_with = "microseconds")]
    #[schema(value_type = String, format = DateTime, example = "2025-08-20T08:10:48.108442Z")]
    pub(super) upload_timestamp: OffsetDateTime,
}

/// A page.
#[derive(Debug, Serialize, ToSchema)]
struct Versions {
    /// Newest first.
    #[schema(max_items = 100)]
    versions: Vec<Version>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required, pattern = "^([2-9]|[1-9][0-9]{1,8})$")]
    next: Option<String>,
}

/// List a document's versions, newest first
///
/// The present content is the first of them. Follow `Link`, or send `next` as `cursor`, until there is
/// none.
#[utoipa::path(
    get,
    path = "/documents/{id}/versions",
    tag = "documents",
    params(
        DocumentPath,
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
            description = "So many on a page; 50 unless told"),
        ("cursor" = Option<String>, Query, pattern = "^([2-9]|[1-9][0-9]{1,8})$",
            description = "What comes after the page that had this as `next`"),
    ),
    responses(
        (status = 200, description = "A page", body = Versions, headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"` (RFC 8288), if there is one"),
        )),
    )
)]
#[tracing::instrument(name = "list_versions", skip_all, err(level = "debug"))]
pub(crate) async fn list_versions(
    State(database): State<Arc<Database>>,
    Caller { client, .. }: Caller,
    path: Result<Path<DocumentPath>, PathRejection>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Error> {
    let Path(path) = path?;
    let page = VersionPage::parse(uri.query().unwrap_or_default())?;
    // One more than is shown tells whether there is a next page.
    let most = page.limit + 1;
    let versions = version_repository::list(&database, &client, path.id, page.before, most).await?;
    let page = paging::cut(versions, page.limit, |last| last.version.to_string());
    Ok(page.answer(&uri, |versions, next| Versions { versions, next }))
}

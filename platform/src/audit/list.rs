//! `GET /clients/{client}/audit`.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::filter::Page;
use super::read;
use crate::database::Database;
use crate::error::Error;
use crate::middleware::auth::Caller;
use crate::paging::{self, Cursor};
use crate::timestamp::microseconds;

/// A change that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recorded)]
pub struct AuditEntry {
    #[schema(minimum = 1)]
    pub(super) id: i64,
    #[serde(serialize_with = "microseconds")]
    #[schema(value_type = String, format = DateTime)]
    pub(super) timestamp: Timestamp,
    /// `key:` and the first digits of the API key's hash, `sub:` and what the token calls its bearer,
    /// `anonymous` where no proof is asked for, or `docket`, the server itself.
    #[schema(example = "key:1f2e3d4c")]
    pub(super) actor: String,
    /// A verb.
    #[schema(example = "delete")]
    pub(super) action: String,
    /// What kind of thing it is about.
    pub(super) subject_kind: String,
    /// Which one of them.
    #[schema(example = "5")]
    pub(super) subject_id: String,
    /// The version that it had afterwards; null for what has no versions.
    #[schema(required, minimum = 1)]
    pub(super) subject_version: Option<i32>,
    #[schema(required)]
    pub(super) trace_id: Option<String>,
    #[schema(required)]
    pub(super) request_id: Option<String>,
    /// What else is known of it; null for most.
    #[schema(required, value_type = Option<Object>)]
    pub(super) details: Option<Map<String, Value>>,
}

/// A page of changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trail {
    /// Newest first.
    #[schema(max_items = 100)]
    entries: Vec<AuditEntry>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required, pattern = "^0[0-2][0-9a-f]{30}$")]
    next: Option<String>,
}

/// List who changed what, newest first
///
/// Each change is recorded with it, all or nothing; reading is not. Follow `Link`, or send `next` as
/// `cursor` with the same filters, until there is none.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "clients",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
            description = "So many on a page; 50 unless told"),
        ("cursor" = Option<String>, Query, pattern = "^0[0-2][0-9a-f]{30}$",
            description = "What comes after the page that had this as `next`"),
        ("subject_kind" = Option<String>, Query, pattern = "^[a-z_]{1,63}$",
            description = "About one kind of thing"),
        ("subject_id" = Option<String>, Query, pattern = "^[!-~]{1,255}$",
            description = "About what has this id"),
        ("action" = Option<String>, Query, pattern = "^[a-z]{1,63}$",
            description = "One verb, such as `delete`"),
        ("after" = Option<String>, Query, format = DateTime,
            description = "Later ones (RFC 3339)"),
        ("before" = Option<String>, Query, format = DateTime,
            description = "Earlier ones (RFC 3339)"),
    ),
    responses(
        (status = 200, description = "A page", body = Trail, headers(
            ("Link" = String, description = "The next page, with `rel=\"next\"` (RFC 8288), if there is one"),
        )),
    )
)]
#[tracing::instrument(name = "list_audit", skip_all, err(level = "debug"))]
pub async fn list_audit(
    State(database): State<Arc<Database>>,
    Caller { client, .. }: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Error> {
    let page = Page::parse(uri.query().unwrap_or_default())?;
    let entries = read::list(&database, &client, &page).await?;
    let cursor = |last: &AuditEntry| {
        let cursor = Cursor {
            timestamp: last.timestamp,
            id: last.id,
        };
        cursor.encode()
    };
    let page = paging::cut(entries, page.limit, cursor);
    Ok(page.answer(&uri, |entries, next| Trail { entries, next }))
}

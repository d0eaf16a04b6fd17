//! The workload `documents`: files with metadata.

mod byteranges;
mod content;
mod cursor;
mod disposition;
mod file_type;
mod filename;
mod filter;
mod list;
mod metadata;
mod model;
mod repository;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, put};

use cursor::Cursor;
pub(crate) use file_type::FileType;
pub(crate) use filename::Filename;
use filter::Filter;
pub(crate) use metadata::get_document;
pub(crate) use model::{Document, NewDocument, microseconds};
pub(crate) use repository::insert;

use crate::App;
use crate::middleware::deadline;

/// Tables that a client's schema must have for this workload.
pub(crate) const TABLES: &[&str] = &[repository::TABLE];

/// What a multipart body may hold beside the file.
const ENVELOPE: u64 = 64 * 1024;

/// `PUT /clients/{client}/upload-document` and reading what was uploaded.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let largest = app.limits.max_upload_bytes.saturating_add(ENVELOPE);
    let limit = DefaultBodyLimit::max(usize::try_from(largest).unwrap_or(usize::MAX));
    Router::new()
        .route("/clients/{client}/documents", get(list::list_documents))
        .route(
            "/clients/{client}/documents/{id}",
            get(metadata::get_document),
        )
        .route(
            "/clients/{client}/documents/{id}/content",
            get(content::get_content),
        )
        .route_layer(from_fn_with_state(app.clone(), deadline::enforce))
        .route(
            "/clients/{client}/upload-document",
            put(upload::upload_document).layer(limit),
        )
}

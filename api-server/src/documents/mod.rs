//! The workload `documents`: files with metadata.

mod accepted_types;
mod beside;
mod byteranges;
mod content;
mod content_answers;
mod disposition;
mod file_type;
mod filename;
mod filter;
mod list;
mod metadata;
mod model;
mod receive;
mod repository;
mod room;
mod search;
mod upload;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

pub(crate) use accepted_types::AcceptedTypes;
pub(crate) use file_type::FileType;
pub(crate) use filename::Filename;
use filter::Filter;
pub(crate) use metadata::get_document;
pub(crate) use model::{Document, NewDocument, microseconds};
pub(crate) use repository::{TABLE, insert, store_metadata};
use search::{Place, Query};

use crate::middleware::deadline;
use crate::{App, text};

/// Tables that a client's schema must have for this workload.
pub(crate) const TABLES: &[&str] = &[TABLE, text::TABLE];

/// What a multipart body may hold beside the file.
const ENVELOPE: u64 = 64 * 1024;

/// `PUT /clients/{client}/upload-document` and reading what was uploaded.
pub(crate) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    let largest = app.limits.max_upload_bytes.saturating_add(ENVELOPE);
    let limit = DefaultBodyLimit::max(usize::try_from(largest).unwrap_or(usize::MAX));
    OpenApiRouter::new()
        .routes(routes!(list::list_documents))
        .routes(routes!(metadata::get_document))
        .routes(routes!(content::get_content, content::head_content))
        .route_layer(from_fn_with_state(app.clone(), deadline::enforce))
        .routes(routes!(upload::upload_document).layer(limit))
}

//! The workload `documents`: files with metadata.

mod accepted_types;
mod beside;
mod byteranges;
mod change;
mod content;
mod content_answers;
mod disposition;
mod download;
mod file_type;
mod filename;
mod filter;
mod find;
mod list;
mod metadata;
mod model;
mod orphans;
mod patch;
mod problems;
mod purge;
mod receive;
mod record;
mod recording;
mod replace;
mod repository;
mod room;
mod search;
mod tags;
mod trash;
mod update;
mod upload;
mod version_content;
mod version_page;
mod version_repository;
mod versions;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

pub(crate) use accepted_types::AcceptedTypes;
pub(crate) use file_type::FileType;
pub(crate) use filename::Filename;
use filter::Filter;
pub(crate) use find::Findings;
pub(crate) use metadata::get_document;
pub(crate) use model::{Document, NewDocument, microseconds};
pub(crate) use orphans::{known_since, orphans};
pub(crate) use problems::PROBLEMS;
pub(crate) use purge::purge;
pub(crate) use record::Recordings;
pub(crate) use recording::{Recording, insert, store_metadata};
pub(crate) use repository::TABLE;
use search::{Place, Query};

use crate::data_store::MAX_BODY;
use crate::middleware::scope::Scope;
use crate::{App, text};

/// To see documents.
pub(crate) const READ: Scope = Scope("documents:read");
/// To store, change and delete them.
pub(crate) const WRITE: Scope = Scope("documents:write");
/// To see who did what with them, and to set and lift legal holds.
pub(crate) const ADMIN: Scope = Scope("documents:admin");

/// Tables that a client's schema must have for this workload.
pub(crate) const TABLES: &[&str] = &[TABLE, version_repository::TABLE, text::TABLE];

/// What a multipart body may hold beside the file.
const ENVELOPE: u64 = 64 * 1024;

/// `PUT /clients/{client}/upload-document`, reading what was uploaded, and changing it.
pub(crate) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    let largest = app.limits.max_upload_bytes.saturating_add(ENVELOPE);
    let limit = DefaultBodyLimit::max(usize::try_from(largest).unwrap_or(usize::MAX));
    OpenApiRouter::new()
        .routes(READ.on(app, routes!(list::list_documents)))
        .routes(READ.on(app, routes!(metadata::get_document)))
        .routes(WRITE.on(app, routes!(trash::delete_document)))
        .routes(WRITE.on(app, routes!(trash::restore_document)))
        .routes(READ.on(app, routes!(content::get_content, content::head_content)))
        .routes(READ.on(app, routes!(versions::list_versions)))
        .routes(READ.on(
            app,
            routes!(version_content::get_version, version_content::head_version),
        ))
        .routes(WRITE.on_upload(
            app,
            routes!(update::update_document).layer(DefaultBodyLimit::max(MAX_BODY)),
        ))
        .routes(WRITE.on_upload(app, routes!(upload::upload_document).layer(limit)))
        .routes(WRITE.on_upload(app, routes!(replace::replace_content).layer(limit)))
}

//! `GET /clients/{client}/documents/{id}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;

use super::repository;
use crate::app::SharedApp;
use crate::conditional;
use crate::error::Error;
use crate::middleware::auth::Caller;

/// The parts of a document's path that are not the client.
#[derive(Debug, Deserialize)]
pub(crate) struct DocumentPath {
    pub(crate) id: i64,
}

/// 200 with the [`Document`](super::Document) and a strong `ETag`, or 304; 404 when the client has
/// none with that id.
#[tracing::instrument(name = "get_document", skip_all, err(level = "debug"))]
pub(crate) async fn get_document(
    State(app): SharedApp,
    Caller(client): Caller,
    headers: HeaderMap,
    path: Result<Path<DocumentPath>, PathRejection>,
) -> Result<Response, Error> {
    let Path(path) = path?;
    let document = repository::find(&app.database, &client, path.id).await?;
    conditional::json(&headers, &document)
}

//! `GET /clients/{client}/documents/{id}`.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Deserialize;

use super::{Document, repository};
use crate::app::SharedApp;
use crate::error::Error;
use crate::middleware::auth::Caller;

/// The parts of a document's path that are not the client.
#[derive(Debug, Deserialize)]
pub(crate) struct DocumentPath {
    pub(crate) id: i64,
}

/// 200 with the [`Document`]; 404 when the client has none with that id.
#[tracing::instrument(name = "get_document", skip_all, err(level = "debug"))]
pub(crate) async fn get_document(
    State(app): SharedApp,
    Caller(client): Caller,
    path: Result<Path<DocumentPath>, PathRejection>,
) -> Result<Json<Document>, Error> {
    let Path(path) = path?;
    repository::find(&app.database, &client, path.id)
        .await
        .map(Json)
}

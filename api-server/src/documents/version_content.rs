//! `GET /clients/{client}/documents/{id}/versions/{version}/content`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, Method};
use serde::Deserialize;
use utoipa::IntoParams;

use super::content::download;
use super::content_answers::Content;
use super::metadata::number;
use super::version_repository;
use crate::app::SharedApp;
use crate::error::Error;
use crate::middleware::auth::Caller;
use crate::openapi::{Answers, NotModified, Preconditions, Ranges};

/// The parts of a version's path that are not the client.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct VersionPath {
    /// The document, by the number that its upload was answered with
    #[serde(deserialize_with = "number")]
    #[param(minimum = 1)]
    id: i64,
    /// One of the document's versions, counted from 1
    #[serde(deserialize_with = "number")]
    #[param(minimum = 1)]
    version: i64,
}

/// Download a version of a document
///
/// The present one included. All is as with the document's content; the name is the document's present
/// one.
#[utoipa::path(
    get,
    path = "/clients/{client}/documents/{id}/versions/{version}/content",
    tag = "documents",
    params(VersionPath, Preconditions, Ranges),
    responses(Content<200>, Content<206>, NotModified, Answers<412>, Answers<416>)
)]
pub(crate) async fn get_version(
    app: SharedApp,
    caller: Caller,
    headers: HeaderMap,
    path: Result<Path<VersionPath>, PathRejection>,
) -> Result<Response, Error> {
    serve(app, caller, Method::GET, headers, path).await
}

/// Tell what a download of a version would bring
///
/// What GET answers, without the content: only the database is asked.
#[utoipa::path(
    head,
    path = "/clients/{client}/documents/{id}/versions/{version}/content",
    tag = "documents",
    params(VersionPath, Preconditions),
    responses(Content<200>, NotModified, Answers<412>)
)]
pub(crate) async fn head_version(
    app: SharedApp,
    caller: Caller,
    headers: HeaderMap,
    path: Result<Path<VersionPath>, PathRejection>,
) -> Result<Response, Error> {
    serve(app, caller, Method::HEAD, headers, path).await
}

#[tracing::instrument(name = "get_version", skip_all, err(level = "debug"))]
async fn serve(
    State(app): SharedApp,
    Caller { client, .. }: Caller,
    method: Method,
    headers: HeaderMap,
    path: Result<Path<VersionPath>, PathRejection>,
) -> Result<Response, Error> {
    let Path(path) = path?;
    let stored = version_repository::find(&app.database, &client, path.id, path.version).await?;
    download(app, client, method, headers, stored).await
}

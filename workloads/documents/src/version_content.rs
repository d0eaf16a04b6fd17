//! `GET /clients/{client}/documents/{id}/versions/{version}/content`.

use std::sync::Arc;

use axum::response::Response;
use docket_platform::database::Database;
use docket_platform::error::Error;
use docket_platform::openapi::{Answers, NotModified, Preconditions, Ranges};
use docket_platform::tenant::Client;
use serde::Deserialize;
use utoipa::IntoParams;

use super::content_answers::Content;
use super::download::{ContentPath, Download, Stored};
use super::metadata::number;
use super::version_repository;

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

impl ContentPath for VersionPath {
    type Source = Arc<Database>;

    async fn find(&self, database: &Arc<Database>, client: &Arc<Client>) -> Result<Stored, Error> {
        version_repository::find(database, client, self.id, self.version).await
    }

    fn document(&self) -> i64 {
        self.id
    }
}

/// Download a version of a document
///
/// The present one included. All is as with the document's content; the name is the document's present
/// one.
#[utoipa::path(
    get,
    path = "/documents/{id}/versions/{version}/content",
    tag = "documents",
    params(VersionPath, Preconditions, Ranges),
    responses(Content<200>, Content<206>, NotModified, Answers<412>, Answers<416>)
)]
#[tracing::instrument(name = "get_version", skip_all, err(level = "debug"))]
pub(crate) async fn get_version(download: Download<VersionPath>) -> Result<Response, Error> {
    download.answer().await
}

/// Tell what a download of a version would bring
///
/// What GET answers, without the content: only the database is asked.
#[utoipa::path(
    head,
    path = "/documents/{id}/versions/{version}/content",
    tag = "documents",
    params(VersionPath, Preconditions),
    responses(Content<200>, NotModified, Answers<412>)
)]
#[tracing::instrument(name = "get_version", skip_all, err(level = "debug"))]
pub(crate) async fn head_version(download: Download<VersionPath>) -> Result<Response, Error> {
    download.answer().await
}

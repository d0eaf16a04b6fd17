//! `GET /clients/{client}/documents/{id}/content`.

use std::sync::Arc;

use axum::response::Response;
use docket_platform::error::Error;
use docket_platform::openapi::{Answers, NotModified, Preconditions, Ranges};
use docket_platform::tenant::Client;

use super::content_answers::Content;
use super::download::{ContentPath, Download, Stored};
use super::find::Finder;
use super::metadata::DocumentPath;

impl ContentPath for DocumentPath {
    type Source = Arc<Finder>;

    async fn find(&self, finder: &Arc<Finder>, client: &Arc<Client>) -> Result<Stored, Error> {
        let document = finder.find(client, self.id).await?;
        Ok(document.as_ref().into())
    }

    fn document(&self) -> i64 {
        self.id
    }
}

/// Download a document
///
/// `Range` asks for a part, so that a download which broke off can go on.
#[utoipa::path(
    get,
    path = "/documents/{id}/content",
    tag = "documents",
    params(DocumentPath, Preconditions, Ranges),
    responses(Content<200>, Content<206>, NotModified, Answers<412>, Answers<416>)
)]
#[tracing::instrument(name = "get_content", skip_all, err(level = "debug"))]
pub(crate) async fn get_content(download: Download<DocumentPath>) -> Result<Response, Error> {
    download.answer().await
}

/// Tell what a download would bring
///
/// What GET answers, without the content: only the database is asked.
#[utoipa::path(
    head,
    path = "/documents/{id}/content",
    tag = "documents",
    params(DocumentPath, Preconditions),
    responses(Content<200>, NotModified, Answers<412>)
)]
#[tracing::instrument(name = "get_content", skip_all, err(level = "debug"))]
pub(crate) async fn head_content(download: Download<DocumentPath>) -> Result<Response, Error> {
    download.answer().await
}

//! `GET /clients/{client}/documents/{id}`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use docket_platform::conditional;
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::openapi::{Answers, NotModified, Preconditions};
use http::HeaderMap;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::Document;
use super::find::Finder;

/// The parts of a document's path that are not the client.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DocumentPath {
    /// The document, by the number that its upload was answered with
    #[serde(deserialize_with = "number")]
    #[param(minimum = 1)]
    pub(crate) id: i64,
}

/// Digits only, so that there is one way to write it; at least 1.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or_else(|| {
        let largest = i64::MAX;
        serde::de::Error::custom(format!("must be a whole number from 1 to {largest}"))
    })
}

/// Show a document's metadata
///
/// The `ETag` changes with anything in the answer.
#[utoipa::path(
    get,
    path = "/documents/{id}",
    tag = "documents",
    params(DocumentPath, Preconditions),
    responses(
        (status = 200, description = "The metadata", body = Document, headers(
            ("ETag" = String, description = "The strong validator of this answer"),
        )),
        NotModified,
        Answers<412>,
    )
)]
#[tracing::instrument(name = "get_document", skip_all, err(level = "debug"))]
pub(crate) async fn get_document(
    State(finder): State<Arc<Finder>>,
    Caller { client, .. }: Caller,
    headers: HeaderMap,
    path: Result<Path<DocumentPath>, PathRejection>,
) -> Result<Response, Error> {
    let Path(path) = path?;
    let document = finder.find(&client, path.id).await?;
    conditional::json(&headers, document.as_ref())
}

//! `GET /openapi.json`.

use std::sync::Arc;

use axum::Extension;
use axum::response::IntoResponse;
use http::header;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answers;
use crate::error::Error;

/// The document that is shown; a layer of the routes that need it.
#[derive(Clone)]
pub struct Document(pub Arc<OpenApi>);

/// The route of the document.
pub fn routes() -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(openapi_json))
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = Object), Answers<500>)
)]
async fn openapi_json(
    Extension(Document(document)): Extension<Document>,
) -> Result<impl IntoResponse, Error> {
    let json = serde_json::to_vec(&*document).map_err(Error::Encoding)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json))
}

//! The data store: metadata for callers inside the tenant's namespace, on a port of its own.

mod create;
mod health;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

pub(crate) use health::routes as health_routes;

use crate::App;
use crate::documents;

/// Largest JSON body, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// `POST /clients/{client}/documents` and `GET /clients/{client}/documents/{id}`.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route(
            "/clients/{client}/documents",
            documents::WRITE.guard(app, post(create::create_document)),
        )
        .route(
            "/clients/{client}/documents/{id}",
            documents::READ.guard(app, get(documents::get_document)),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

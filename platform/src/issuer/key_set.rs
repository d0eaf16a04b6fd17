//! `GET /.well-known/jwks.json`: the keys that check the tenant's own tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;

use super::PUBLISHED_FOR;
use crate::error::Error;
use crate::openapi::Answers;
use crate::tokens::OwnIssuer;

/// Show the keys that check the tenant's own tokens
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "operations",
    responses(
        (status = 200, description = "A JSON Web Key Set (RFC 7517)", body = Object, content_type = "application/jwk-set+json"),
        Answers<503>,
    )
)]
pub(super) async fn key_set(
    State(issuer): State<Arc<OwnIssuer>>,
) -> Result<impl IntoResponse, Error> {
    let headers = [
        (header::CONTENT_TYPE, "application/jwk-set+json"),
        (header::CACHE_CONTROL, PUBLISHED_FOR),
    ];
    Ok((headers, issuer.published()?))
}

//! What the issuer says of itself (RFC 8414), also where clients of OpenID Connect look for it, as gateways
//! and verifiers mostly do: its keys are found there, though nobody can log in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::{KEYS_PATH, PUBLISHED_FOR, Scopes, TOKEN_PATH};
use crate::tokens::OwnIssuer;

/// What the issuer says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Metadata {
    issuer: String,
    jwks_uri: String,
    token_endpoint: String,
    token_endpoint_auth_methods_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 1],
    /// Required of whoever has metadata; there is nothing to log in to.
    response_types_supported: [&'static str; 1],
    scopes_supported: Vec<String>,
    /// The next two are required by OpenID Connect Discovery.
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
}

/// Say where the keys and the tokens of the tenant's own issuer are
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "operations",
    responses((status = 200, description = "Authorization server metadata (RFC 8414)", body = Metadata))
)]
pub(super) async fn authorization_server(
    State(issuer): State<Arc<OwnIssuer>>,
    State(scopes): State<Scopes>,
) -> impl IntoResponse {
    let cached = [(header::CACHE_CONTROL, PUBLISHED_FOR)];
    (cached, Json(metadata(&issuer, &scopes)))
}

/// Say the same where clients of OpenID Connect look for it
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration",
    tag = "operations",
    responses((status = 200, description = "The same", body = Metadata))
)]
pub(super) async fn openid_configuration(
    issuer: State<Arc<OwnIssuer>>,
    scopes: State<Scopes>,
) -> impl IntoResponse {
    authorization_server(issuer, scopes).await
}

fn metadata(issuer: &OwnIssuer, scopes: &Scopes) -> Metadata {
    let url = issuer.url();
    Metadata {
        issuer: url.to_owned(),
        jwks_uri: format!("{url}{KEYS_PATH}"),
        token_endpoint: format!("{url}{TOKEN_PATH}"),
        token_endpoint_auth_methods_supported: ["client_secret_basic"],
        grant_types_supported: ["client_credentials"],
        response_types_supported: ["none"],
        scopes_supported: scopes.0.to_vec(),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["EdDSA"],
    }
}

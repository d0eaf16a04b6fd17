//! A tenant that issues tokens of its own, as others see it: what it publishes, and the tokens that it hands
//! to clients.

mod client;
mod key_set;
mod metadata;
mod problem;
mod request;
mod token;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{self, DefaultBodyLimit, FromRef};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use problem::PROBLEMS;

use crate::database::Database;
use crate::error::Error;
use crate::json::MAX_BODY;
use crate::middleware::access::Access;
use crate::platform::Platform;
use crate::tokens::OwnIssuer;

/// Where tokens are handed out; in the issuer's metadata, too.
const TOKEN_PATH: &str = "/oauth2/token";

/// What an entry of the audit log is about that tells of a token.
pub(crate) const AUDIT_SUBJECT: &str = "token";

/// Where the public keys are.
const KEYS_PATH: &str = "/.well-known/jwks.json";

/// Seconds for which what is published may be kept: a key is published for longer before it signs.
const PUBLISHED_FOR: &str = "public, max-age=300";

/// Every scope that a route of the tenant asks for, sorted.
#[derive(Clone, Debug)]
struct Scopes(Arc<[String]>);

#[derive(Clone, FromRef)]
struct State {
    issuer: Arc<OwnIssuer>,
    access: Arc<Access>,
    database: Arc<Database>,
    scopes: Scopes,
}

/// What the routes of an issuer are.
#[derive(Default)]
pub struct Routes {
    /// What it publishes, open to all.
    pub published: OpenApiRouter,
    /// Where it hands out tokens.
    pub token: OpenApiRouter,
}

/// The routes of the tenant's own issuer, which hands out `scopes`; none where there is no issuer.
pub fn routes(platform: &Platform, scopes: Vec<String>) -> Routes {
    let Some(issuer) = &platform.access.own_issuer else {
        return Routes::default();
    };
    let state = State {
        issuer: issuer.clone(),
        access: platform.access.clone(),
        database: platform.database.clone(),
        scopes: Scopes(scopes.into()),
    };
    let published = OpenApiRouter::new()
        .routes(routes!(metadata::authorization_server))
        .routes(routes!(metadata::openid_configuration))
        .routes(routes!(key_set::key_set))
        .with_state(state.clone());
    let token = OpenApiRouter::new()
        .routes(routes!(token::token))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(platform.request_timeout, within))
        .with_state(state);
    Routes { published, token }
}

/// Answers within `limit`, its body included.
async fn within(
    extract::State(limit): extract::State<Duration>,
    request: extract::Request,
    next: Next,
) -> Result<Response, Error> {
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    answer.map_err(|_| Error::Deadline(limit))
}

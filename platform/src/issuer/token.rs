//! `POST /oauth2/token`: a short-lived token for a client that shows its key (RFC 6749, 4.4), with some of
//! what the key may do, so that it can be handed on.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, header};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::problem::TokenProblem;
use super::request::TokenRequest;
use super::{AUDIT_SUBJECT, Scopes, client};
use crate::audit::{self, Entry, Origin};
use crate::database::Database;
use crate::error::{Error, ProblemBody};
use crate::middleware::access::Access;
use crate::middleware::auth::Caller;
use crate::middleware::request_id::RequestId;
use crate::middleware::scope;
use crate::openapi::Answers;
use crate::tenant::Client;
use crate::tokens::{OwnIssuer, SignedToken, TokenGrant, TokenSigner};

/// A token (RFC 6749, 5.1).
#[derive(Debug, Serialize, ToSchema)]
struct TokenBody {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    /// What the token allows, apart by spaces.
    scope: String,
}

/// What a client sends, as a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the OpenAPI document")]
struct TokenForm {
    /// `client_credentials`.
    grant_type: String,
    /// What the token shall allow, apart by spaces.
    scope: String,
    /// Name of the client, where its key is in `X-API-Key`.
    client_id: Option<String>,
}

/// Get a short-lived token of a client
///
/// The client sends its name and its API key by HTTP Basic, or the key in `X-API-Key` and its name as
/// `client_id`. The token opens the client's routes, as far as its scopes go, and may be handed on. The audit
/// log says that it was issued.
#[utoipa::path(
    post,
    path = "/oauth2/token",
    tag = "operations",
    security(("api_key" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A token (RFC 6749, 5.1)", body = TokenBody),
        (status = 400, description = "What was sent makes no sense (RFC 6749, 5.2)", body = ProblemBody, content_type = "application/json"),
        (status = 401, description = "The client is not known by this name and key", body = ProblemBody, content_type = "application/json"),
        Answers<413>,
        Answers<429>,
        Answers<503>,
    )
)]
pub(super) async fn token(
    State(access): State<Arc<Access>>,
    State(issuer): State<Arc<OwnIssuer>>,
    State(database): State<Arc<Database>>,
    State(scopes): State<Scopes>,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Error> {
    let request = TokenRequest::read(&headers, &body?, &scopes)?;
    let client_id = request.client_id.as_deref();
    let (client, actor) = client::authenticate(&access.tenant, &headers, client_id)
        .map_err(|problem| of_who_ends(&access, problem))?;
    // Behind authentication, as everywhere: whoever proves nothing costs no client its share.
    let taken = access.rate_limits.take(&client.name);
    let wait = taken.as_ref().and_then(|taken| taken.wait);
    let origin = Origin::of(&actor, request_id);
    let answer = match wait {
        Some(wait) => Err(Error::RateLimited(wait)),
        None => issue(issuer, &database, (&client, &origin), &request.scopes).await,
    };
    let mut response = answer.into_response();
    if let Some(taken) = taken {
        taken.tell(&mut response);
    }
    // For the log.
    response.extensions_mut().insert(Caller {
        user: None,
        client,
        scopes: scope::Scopes::All,
        actor,
    });
    Ok(response)
}

/// A token is handed out once the audit log says so: what is not known of could never be looked into.
async fn issue(
    issuer: Arc<OwnIssuer>,
    database: &Database,
    (client, origin): (&Client, &Origin),
    scopes: &[String],
) -> Result<impl IntoResponse + use<>, Error> {
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let signed = TokenSigner::new(issuer).sign(&TokenGrant {
        client: &client.name,
        user: None,
        scopes: &scopes,
        lifetime: None,
    })?;
    let scope = scopes.join(" ");
    audit::record(database, client, origin, entry(&signed, &scope)).await?;
    let body = TokenBody {
        access_token: signed.token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: signed.expires_in.as_secs(),
        scope,
    };
    // RFC 6749, 5.1 wants both.
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    Ok((headers, Json(body)))
}

/// By its id and that of its key; who has the token itself could use it.
fn entry(signed: &SignedToken, scope: &str) -> Entry {
    let details = [
        ("scope", json!(scope)),
        ("key_id", json!(signed.key_id)),
        ("expires_in", json!(signed.expires_in.as_secs())),
    ];
    let details = details.map(|(name, value)| (name.to_owned(), value));
    Entry {
        action: "issue",
        subject_kind: AUDIT_SUBJECT,
        subject_id: signed.id.clone(),
        subject_version: None,
        details: Some(details.into_iter().collect()),
    }
}

/// A server that ends does not know who was added since.
fn of_who_ends(access: &Access, problem: TokenProblem) -> Error {
    match problem {
        TokenProblem::InvalidClient if access.draining.is_cancelled() => Error::Draining,
        problem => problem.into(),
    }
}

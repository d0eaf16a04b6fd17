//! Whose request it is: the `{client}` of the path, proved by an API key or a token.

use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use docket_contract::API_KEY_HEADER;
use http::HeaderMap;
use http::request::Parts;

use super::scope::Scopes;
use crate::app::{App, SharedApp};
use crate::error::Error;
use crate::tenant::{Client, Tenant};
use crate::tokens::{self, Issuer};

/// The client that a request was proved to come from; also left on the response, for the log.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Arc<Client>);

/// What a request proved: whose it is, and what it may do. [`Scope`](super::scope::Scope) makes a
/// [`Caller`] of it.
#[derive(Clone, Debug)]
pub(crate) struct Identified {
    pub(crate) client: Arc<Client>,
    pub(crate) scopes: Scopes,
}

/// Who acts, as the audit log names it: `key:<first digits of the key's hash>`, `sub:<the token's
/// subject>` or `anonymous`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor(pub(crate) String);

impl Actor {
    /// Digits that tell the keys of one client apart and give none of them away.
    const DIGITS: usize = 8;
    /// What the audit log takes.
    const LONGEST: usize = 255;

    pub(crate) fn of_key(hash: &str) -> Self {
        Self(format!("key:{}", &hash[..Self::DIGITS.min(hash.len())]))
    }

    /// Cut where the audit log ends, which no issuer's subjects reach (RFC 7519 sets no bound).
    pub(crate) fn of_subject(subject: &str) -> Self {
        let text: String = subject.chars().filter(|c| !c.is_control()).collect();
        Self(format!("sub:{text}").chars().take(Self::LONGEST).collect())
    }

    pub(crate) fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }
}

pub(crate) async fn authenticate(
    State(app): SharedApp,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let params = params?;
    let name = params
        .iter()
        .find_map(|(key, value)| (key == "client").then_some(value));
    let name = name.unwrap_or_default();
    let (identified, actor) = match &app.issuer {
        Some(issuer) => by_token(&app.tenant, issuer, name, request.headers()).await?,
        None => by_key(&app.tenant, name, request.headers())?,
    };
    let caller = Caller(identified.client.clone());
    request.extensions_mut().insert(identified);
    request.extensions_mut().insert(actor);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(caller);
    Ok(response)
}

/// A key opens all that is its client's.
fn by_key(tenant: &Tenant, name: &str, headers: &HeaderMap) -> Result<(Identified, Actor), Error> {
    let key = headers.get(API_KEY_HEADER).map(|value| value.as_bytes());
    let (client, actor) = tenant.authenticate(name, key)?;
    let scopes = Scopes::All;
    Ok((Identified { client, scopes }, actor))
}

/// A client that does not exist gets the same answer as one that the token does not name.
async fn by_token(
    tenant: &Tenant,
    issuer: &Issuer,
    name: &str,
    headers: &HeaderMap,
) -> Result<(Identified, Actor), Error> {
    let claims = issuer.verify(tokens::token(headers)?).await?;
    let client = tenant
        .client(name)
        .filter(|_| claims.opens(issuer.client_claim(), name))
        .ok_or(Error::ClientRefused)?;
    let scopes = Scopes::Of(claims.scopes());
    let actor = Actor::of_subject(&claims.sub);
    Ok((Identified { client, scopes }, actor))
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Error;

    /// A route that forgot its scope answers 403 rather than serving.
    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Error> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Error::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_never_taken_for_a_key_and_always_fits_the_audit_log() {
        assert_eq!(Actor::of_subject("alice").0, "sub:alice");
        assert_eq!(Actor::of_subject("key:1250732e").0, "sub:key:1250732e");
        assert_eq!(Actor::of_subject("a\n\0b").0, "sub:ab");
        assert_eq!(Actor::of_subject(&"ż".repeat(300)).0.chars().count(), 255);
        assert_eq!(Actor::of_subject("").0, "sub:");
    }
}

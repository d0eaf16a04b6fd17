//! Whose request it is: the `{client}` of the path, proved by an API key or a token.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use docket_contract::API_KEY_HEADER;
use http::HeaderMap;
use http::request::Parts;

use super::access::Access;
use super::scope::Scopes;
use crate::error::Error;
use crate::tenant::{Client, Tenant};
use crate::tokens::{self, AcceptedIssuers};

/// Who a request was proved to come from, and what it may do; also left on the response, for the log.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Of the path.
    pub client: Arc<Client>,
    /// What it may do there.
    pub scopes: Scopes,
    /// Who asks.
    pub actor: Actor,
}

/// Who acts, as the audit log names it: `key:<first digits of the key's hash>`, `sub:<the token's
/// subject>` or `anonymous`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor(pub String);

impl Actor {
    /// Digits that tell the keys of one client apart and give none of them away.
    const DIGITS: usize = 8;
    /// What the audit log takes.
    const LONGEST: usize = 255;

    /// Whoever has the key with this hash.
    pub fn of_key(hash: &str) -> Self {
        Self(format!("key:{}", &hash[..Self::DIGITS.min(hash.len())]))
    }

    /// Cut where the audit log ends, which no issuer's subjects reach (RFC 7519 sets no bound).
    pub fn of_subject(subject: &str) -> Self {
        let text: String = subject.chars().filter(|c| !c.is_control()).collect();
        Self(format!("sub:{text}").chars().take(Self::LONGEST).collect())
    }

    /// Whoever it is, where no proof is asked for.
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }
}

/// The caller of the `{client}` in the path.
///
/// # Errors
/// When nothing, or nothing that opens this client, was sent along.
pub(super) async fn identify(
    access: &Access,
    params: &RawPathParams,
    headers: &HeaderMap,
) -> Result<Caller, Error> {
    let name = params
        .iter()
        .find_map(|(key, value)| (key == "client").then_some(value));
    let name = name.unwrap_or_default();
    match access.issuers_for(headers) {
        Some(issuers) => by_token(&access.tenant, issuers, name, headers).await,
        None => by_key(&access.tenant, name, headers),
    }
}

/// A key opens all that is its client's.
fn by_key(tenant: &Tenant, name: &str, headers: &HeaderMap) -> Result<Caller, Error> {
    let key = headers.get(API_KEY_HEADER).map(|value| value.as_bytes());
    let (client, actor) = tenant.authenticate(name, key)?;
    Ok(Caller {
        client,
        scopes: Scopes::All,
        actor,
    })
}

/// A client that does not exist gets the same answer as one that the token does not name.
async fn by_token(
    tenant: &Tenant,
    issuers: &AcceptedIssuers,
    name: &str,
    headers: &HeaderMap,
) -> Result<Caller, Error> {
    let (issuer, claims) = issuers.verify(tokens::token(headers)?).await?;
    let client = tenant
        .client(name)
        .filter(|_| claims.opens(issuer.client_claim(), name))
        .ok_or(Error::ClientRefused)?;
    Ok(Caller {
        client,
        scopes: Scopes::Of(claims.scopes()),
        actor: Actor::of_subject(&claims.sub),
    })
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    /// A route without a [`Gate`](super::gate::Gate) answers 403 rather than serving.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
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

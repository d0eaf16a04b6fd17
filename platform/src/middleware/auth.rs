//! Whose request it is: the `{client}` of the path, or else of the credential, proved by an API key or a
//! token.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use docket_contract::{API_KEY_HEADER, CLIENT_HEADER};
use http::request::Parts;
use http::{HeaderMap, header};

use super::access::Access;
use super::scope::{Scope, Scopes};
use crate::error::Error;
use crate::tenant::{Client, Tenant};
use crate::tokens::{self, Issuer};

/// Who a request was proved to come from, and what it may do; also left on the response, for the log.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Of the path, or of the credential.
    pub client: Arc<Client>,
    /// The person who asks, if a token speaks for one.
    pub user: Option<User>,
    /// What it may do there.
    pub scopes: Scopes,
    /// Who asks.
    pub actor: Actor,
}

/// A person, as the issuer of their token knows them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// Who says so: others may call somebody else the same.
    pub issuer: String,
    /// The claim `sub`.
    pub subject: String,
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

/// The caller, of the client that the request names, or else of the only one that its credential opens.
/// `page` is the publishable key that it has and the scope of the route, if the route takes such keys.
///
/// # Errors
/// When nothing, or nothing that opens this client, was sent along; [`Error::ClientNeeded`] when that
/// leaves several to choose from.
pub(super) async fn identify(
    access: &Access,
    params: &RawPathParams,
    headers: &HeaderMap,
    page: Option<(&str, Scope)>,
) -> Result<Caller, Error> {
    let name = client_name(params, headers)?;
    match (page, &access.issuer) {
        (Some((key, scope)), _) => by_page(&access.tenant, name, key, scope, headers),
        (None, Some(issuer)) => by_token(&access.tenant, issuer, name, headers).await,
        (None, None) => by_key(&access.tenant, name, headers),
    }
}

/// The client that the request names: in its path, or, where that has no place for it, in a header.
fn client_name<'a>(
    params: &'a RawPathParams,
    headers: &'a HeaderMap,
) -> Result<Option<&'a str>, Error> {
    let in_path = params
        .iter()
        .find_map(|(key, value)| (key == "client").then_some(value));
    if in_path.is_some() {
        return Ok(in_path);
    }
    let mut sent = headers.get_all(CLIENT_HEADER).iter();
    let (first, second) = (sent.next(), sent.next());
    if second.is_some() {
        let twice = "the header X-Client is there more than once";
        return Err(Error::BadRequest(twice.into()));
    }
    // What is no text is the name of no client.
    Ok(first.map(|value| value.to_str().unwrap_or_default()))
}

/// A key opens all that is its client's.
fn by_key(tenant: &Tenant, name: Option<&str>, headers: &HeaderMap) -> Result<Caller, Error> {
    let key = headers.get(API_KEY_HEADER).map(|value| value.as_bytes());
    let (client, actor) = tenant.authenticate(name, key)?;
    Ok(Caller {
        client,
        user: None,
        scopes: Scopes::All,
        actor,
    })
}

/// A publishable key opens one scope, to pages of its origins.
fn by_page(
    tenant: &Tenant,
    name: Option<&str>,
    key: &str,
    scope: Scope,
    headers: &HeaderMap,
) -> Result<Caller, Error> {
    let origin = headers.get(header::ORIGIN).map(|value| value.as_bytes());
    let (client, actor) = tenant.authenticate_page(name, key, scope, origin)?;
    Ok(Caller {
        client,
        user: None,
        scopes: Scopes::Of(vec![scope.0.to_owned()]),
        actor,
    })
}

/// A client that does not exist gets the same answer as one that the token does not name.
async fn by_token(
    tenant: &Tenant,
    issuer: &Issuer,
    name: Option<&str>,
    headers: &HeaderMap,
) -> Result<Caller, Error> {
    let claims = issuer.verify(tokens::token(headers)?).await?;
    let claim = issuer.client_claim();
    let name = match name {
        Some(name) if claims.opens(claim, name) => name,
        Some(_) => return Err(Error::ClientRefused),
        None => claims.only_client(claim)?,
    };
    let user = claims.user(claim).map(|subject| User {
        issuer: issuer.name().to_owned(),
        subject: subject.to_owned(),
    });
    Ok(Caller {
        client: tenant.client(name).ok_or(Error::ClientRefused)?,
        user,
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

//! Whose request it is: the `{client}` of the path, proved by an API key.

use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use docket_contract::API_KEY_HEADER;
use http::request::Parts;

use crate::app::{App, SharedApp};
use crate::error::Error;
use crate::tenant::Client;

/// The client that a request was proved to come from; also left on the response, for the log.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Arc<Client>);

/// Who acts, as the audit log names it: `key:<first digits of the key's hash>` or `anonymous`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Actor(pub(crate) String);

impl Actor {
    /// Digits that tell the keys of one client apart and give none of them away.
    const DIGITS: usize = 8;

    pub(crate) fn of_key(hash: &str) -> Self {
        Self(format!("key:{}", &hash[..Self::DIGITS.min(hash.len())]))
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
    let key = request
        .headers()
        .get(API_KEY_HEADER)
        .map(|value| value.as_bytes());
    let (caller, actor) = app.tenant.authenticate(name.unwrap_or_default(), key)?;
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(actor);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(caller);
    Ok(response)
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Error;

    /// A route that forgot [`authenticate`] answers 403 rather than serving.
    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Error> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Error::Forbidden)
    }
}

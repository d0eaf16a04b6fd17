//! Whose request it is: the `{client}` of the path, proved by an API key.

use std::sync::Arc;

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

pub(crate) async fn authenticate(
    State(app): SharedApp,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let name = params
        .iter()
        .find_map(|(key, value)| (key == "client").then_some(value));
    let key = request
        .headers()
        .get(API_KEY_HEADER)
        .map(|value| value.as_bytes());
    let caller = Caller(app.tenant.authenticate(name.unwrap_or_default(), key)?);
    request.extensions_mut().insert(caller.clone());
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

//! What stands before a route of a client: who asks, how often, with which scope, for how long.
//!
//! One layer for all of it: each layer of axum copies those within it for every request.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;

use super::access::Access;
use super::auth::{Caller, identify};
use super::caching::keep_private;
use super::publishable::take_key;
use super::scope::Scope;
use crate::error::Error;

/// What a route asks of a request.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) access: Arc<Access>,
    /// One of them is enough.
    pub(super) scopes: Arc<[Scope]>,
    /// The one that publishable keys may have here; none where they open nothing.
    pub(super) publishable: Option<Scope>,
    /// Time until the first byte of an answer; none for routes that read large bodies.
    pub(super) deadline: Option<Duration>,
}

async fn pass(
    State(gate): State<Gate>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let answer = answer_to_caller(&gate, params, request, next).await;
    let mut response = answer.into_response();
    keep_private(response.headers_mut());
    response
}

/// Lets the handler know its [`Caller`], which nothing else does: a route without a gate serves nobody.
async fn answer_to_caller(
    gate: &Gate,
    params: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let key = gate.publishable.and_then(|_| take_key(&mut request));
    let page = key.as_deref().zip(gate.publishable);
    let caller = identify(&gate.access, &params?, request.headers(), page).await;
    let caller = caller.map_err(|error| gate.of_who_ends(error))?;
    // Behind authentication: whoever proves nothing costs a hash and no client its share.
    let taken = gate.access.rate_limits.take(&caller.client.name);
    let wait = taken.as_ref().and_then(|taken| taken.wait);
    let answer = match (wait, caller.scopes.check(&gate.scopes)) {
        (Some(wait), _) => Err(Error::RateLimited(wait)),
        (None, Err(error)) => Err(error),
        (None, Ok(())) => {
            request.extensions_mut().insert(caller.clone());
            gate.answer(&caller, next.run(request)).await
        }
    };
    let mut response = answer.into_response();
    if let Some(taken) = taken {
        taken.tell(&mut response);
    }
    // For the log.
    response.extensions_mut().insert::<Caller>(caller);
    Ok(response)
}

impl Gate {
    /// One that publishable keys do not open.
    pub(super) fn new(scopes: &[Scope], access: &Arc<Access>, deadline: Option<Duration>) -> Self {
        Self {
            access: access.clone(),
            scopes: scopes.into(),
            publishable: None,
            deadline,
        }
    }

    /// `router` behind it.
    pub(super) fn before<S: Clone + Send + Sync + 'static>(
        self,
        router: MethodRouter<S>,
    ) -> MethodRouter<S> {
        router.route_layer(from_fn_with_state(self, pass))
    }

    /// A server that ends does not know who was added since, and the one that took its place does: for a
    /// moment, connections still come here.
    fn of_who_ends(&self, error: Error) -> Error {
        match self.access.draining.is_cancelled() && error.refuses_the_unknown() {
            true => Error::Draining,
            false => error,
        }
    }

    /// In the client's own share of all that is under way.
    async fn answer(
        &self,
        caller: &Caller,
        answer: impl Future<Output = Response>,
    ) -> Result<Response, Error> {
        let under_way = self.access.under_way.begin(&caller.client.name)?;
        let answer = self.within_deadline(answer).await?;
        Ok(under_way.until_read(answer))
    }

    async fn within_deadline(
        &self,
        answer: impl Future<Output = Response>,
    ) -> Result<Response, Error> {
        let Some(limit) = self.deadline else {
            return Ok(answer.await);
        };
        let answer = tokio::time::timeout(limit, answer).await;
        answer.map_err(|_| Error::Deadline(limit))
    }
}

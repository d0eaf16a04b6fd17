//! Which pages may read what a route answers: those of the origins that its publishable keys are for
//! (the CORS protocol of the Fetch standard). Never with the reader's cookies.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::access::Access;
use super::layers::unbroken;
use super::scope::Scope;
use crate::error::Error;

/// What a page may send beside what every page may.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, idempotency-key, traceparent, x-api-key, x-client, x-request-id",
);
/// What a page may read beside what every page may.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("ratelimit, ratelimit-policy, retry-after, x-request-id");
/// Seconds that a browser may go without asking again: no browser keeps an answer for longer than two hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const ORIGIN: HeaderValue = HeaderValue::from_static("origin");

/// Whose pages may read.
#[derive(Clone)]
struct Origins {
    access: Arc<Access>,
    scope: Scope,
}

impl Origins {
    /// The origin of a request, if its pages may read the answer.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let is_known = self
            .access
            .tenant
            .publishes_to(self.scope, origin.to_str().ok()?);
        is_known.then(|| origin.clone())
    }
}

/// `router`, whose answers pages may read that may use a publishable key for `scope`, errors included, also
/// those that no handler makes; and what a browser asks before (OPTIONS) is answered to everybody. What is
/// refused before a route is found, such as a second `Host`, no page can send.
pub(super) fn open<S: Clone + Send + Sync + 'static>(
    access: &Arc<Access>,
    scope: Scope,
    methods: HeaderValue,
    router: MethodRouter<S>,
) -> MethodRouter<S> {
    let origins = Origins {
        access: access.clone(),
        scope,
    };
    let asked = origins.clone();
    let preflight = async move |headers: HeaderMap| preflight(&asked, &methods, &headers);
    let answers = from_fn_with_state(origins, answer);
    // One that is set around all routes later would stand outside of this layer.
    let router = router.fallback(async || Error::MethodNotAllowed);
    router.layer(answers).options(preflight)
}

async fn answer(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let allowed = origins.allowed(request.headers());
    let mut response = unbroken(next, request).await;
    let headers = response.headers_mut();
    // A cache must not give one origin's answer to another.
    headers.append(header::VARY, ORIGIN);
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

fn preflight(origins: &Origins, methods: &HeaderValue, asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::VARY, ORIGIN);
    if let Some(origin) = origins.allowed(asked) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    response
}

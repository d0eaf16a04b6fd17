//! The layers around every request, in their order: its id, its measure, its trace and its log line.
//!
//! One layer for all of it: each layer of axum copies those within it for every request.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use http::{HeaderValue, header};
use tokio_util::sync::CancellationToken;

use super::metrics::{HttpMetrics, Measure};
use super::request_id::RequestId;
use super::{message, trace};
use crate::error::Error;
use crate::problem::{self, ProblemKind, ProblemList};

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Stands in metrics for the workload of clients' routes that no workload has to itself.
pub const PLATFORM: &str = "platform";

/// Stands in metrics for the workload of what is no route of a client: probes, and paths that are not served.
const NONE: &str = "none";

/// What the layers around a router share.
#[derive(Debug)]
pub struct Layers {
    metrics: HttpMetrics,
    /// All that may be answered.
    problems: Vec<ProblemList>,
    draining: CancellationToken,
}

impl Layers {
    /// Connections are closed once the server is `draining`.
    pub fn new(problems: Vec<ProblemList>, draining: CancellationToken) -> Self {
        Self {
            metrics: HttpMetrics::new(),
            problems,
            draining,
        }
    }

    /// Whether the OpenAPI document has the problem that `response` tells of, if it does.
    fn lists(&self, response: &Response) -> bool {
        let kind = response.extensions().get::<&'static ProblemKind>();
        kind.is_none_or(|kind| problem::is_listed(&self.problems, kind))
    }
}

/// The layers around the routes of one workload. Which it is, is known before a request comes: nothing has to
/// be looked up or handed on, and what a gate or another layer refuses counts for it, too.
#[derive(Clone)]
struct Measured {
    layers: Arc<Layers>,
    workload: &'static str,
}

/// `routes` for clients, of `workload`: their requests are traced.
pub fn around_clients(layers: &Arc<Layers>, workload: &'static str, routes: Router) -> Router {
    let measured = Measured {
        layers: layers.clone(),
        workload,
    };
    routes
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(from_fn_with_state(measured, client_request))
}

/// Answers of what is not served.
pub fn around_nothing(layers: &Arc<Layers>) -> Router {
    let nothing = Router::new().fallback(async || Error::NoRoute);
    around_clients(layers, NONE, nothing)
}

/// `routes` for probes, and for questions about the service itself: traces would drown in them.
pub fn around_operations(layers: &Arc<Layers>, routes: Router) -> Router {
    let measured = Measured {
        layers: layers.clone(),
        workload: NONE,
    };
    routes
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(from_fn_with_state(measured, operation))
}

async fn client_request(
    State(measured): State<Measured>,
    request: Request,
    next: Next,
) -> Response {
    let workload = measured.workload;
    let answer = |request| trace::trace(workload, request, |request| unbroken(next, request));
    apply(&measured, request, answer).await
}

async fn operation(State(measured): State<Measured>, request: Request, next: Next) -> Response {
    apply(&measured, request, |request| unbroken(next, request)).await
}

async fn apply<A: Future<Output = Response>>(
    Measured { layers, workload }: &Measured,
    mut request: Request,
    answer: impl FnOnce(Request) -> A,
) -> Response {
    let id = RequestId::of(request.headers());
    let measure = Measure::begin(&request, workload);
    let mut response = match message::check(request.version(), request.headers()) {
        Err(error) => error.into_response(),
        Ok(()) => {
            request.extensions_mut().insert(id.clone());
            answer(request).await
        }
    };
    debug_assert!(
        layers.lists(&response),
        "the OpenAPI document lacks a problem: {:?}",
        response.extensions().get::<&'static ProblemKind>()
    );
    measure.end(&layers.metrics, response.status());
    id.tell(&mut response);
    // A caller then makes its next connection, which leads elsewhere, before this server closes it.
    if layers.draining.is_cancelled() {
        response.headers_mut().insert(header::CONNECTION, CLOSE);
    }
    response
}

/// A panic costs one request its answer, not the process its life.
pub(super) async fn unbroken(next: Next, request: Request) -> Response {
    AssertUnwindSafe(async { next.run(request).await })
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Error::Panic.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn a_problem_that_the_document_lacks_is_noticed() {
        let layers = |problems| Layers::new(problems, CancellationToken::new());
        let answer = Error::NoRoute.into_response();
        assert!(layers(vec![crate::error::kinds::PROBLEMS]).lists(&answer));
        assert!(!layers(Vec::new()).lists(&answer));
        assert!(layers(Vec::new()).lists(&StatusCode::OK.into_response()));
    }

    async fn broken() -> StatusCode {
        panic!("broken");
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_like_any_other() {
        let layer = from_fn(async |request, next| unbroken(next, request).await);
        let router: Router = Router::new().route("/", get(broken)).layer(layer);
        let request = Request::get("/").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}

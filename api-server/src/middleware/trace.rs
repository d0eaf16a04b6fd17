//! The server span of a request and its one log line.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::auth::Caller;
use super::request_id::RequestId;
use super::route;

pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let method = request.method().as_str().to_owned();
    let route = route(request.extensions());
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or_else(String::new, |id| id.0.clone());
    let span = tracing::info_span!(
        "http_request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        url.path = request.uri().path(),
        client = Empty,
    );
    docket_instrumentation::accept_request(&span, request.headers(), &id);
    answer(request, next, method, route).instrument(span).await
}

async fn answer(request: Request, next: Next, method: String, route: String) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    let status = response.status();
    let client = response
        .extensions()
        .get::<Caller>()
        .map(|caller| caller.0.name.clone());
    let span = Span::current();
    span.record("http.response.status_code", status.as_u16());
    span.record("client", client.as_deref());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    tracing::info!(
        method,
        route,
        client,
        status = status.as_u16(),
        duration_ms = start.elapsed().as_secs_f64() * 1000.0,
        "request"
    );
    docket_instrumentation::inject(response.headers_mut());
    response
}

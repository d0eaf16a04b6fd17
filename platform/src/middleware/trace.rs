//! The server span of a request and its one log line.

use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::Response;
use docket_instrumentation::Reason;
use http::StatusCode;
use opentelemetry::context::FutureExt as _;
use opentelemetry::{Context, KeyValue};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::auth::Caller;
use super::request_id::RequestId;
use super::{method, route};

/// A longer path is not one that is served.
const LONGEST_PATH: usize = 256;

/// From here on a request is worth looking at.
const SLOW: Duration = Duration::from_secs(1);

/// Of a request for a route of `workload`.
pub(super) async fn trace<A: Future<Output = Response>>(
    workload: &'static str,
    request: Request,
    answer: impl FnOnce(Request) -> A,
) -> Response {
    let mut line = Line {
        workload,
        method: method(request.method()),
        route: route(request.extensions()),
        start: Instant::now(),
        place: None,
        written: false,
    };
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or("", |id| &id.0);
    if let Some(place) = docket_instrumentation::dropped_request(request.headers(), id) {
        line.place = Some(place.clone());
        return told(answer(request), line).with_context(place).await;
    }
    let span = tracing::info_span!(
        "http_request",
        otel.name = format!("{} {}", line.method, line.route),
        otel.kind = "server",
        otel.status_code = Empty,
        docket.workload = line.workload,
        http.request.method = line.method,
        http.route = line.route,
        http.response.status_code = Empty,
        url.path = plain(request.uri().path()),
        client = Empty,
    );
    docket_instrumentation::accept_request(&span, request.headers(), id);
    told(answer(request), line).instrument(span).await
}

async fn told(answer: impl Future<Output = Response>, mut line: Line) -> Response {
    let mut response = answer.await;
    let status = response.status();
    let client = response
        .extensions()
        .get::<Caller>()
        .map(|caller| caller.client.name.clone());
    let span = Span::current();
    span.record("http.response.status_code", status.as_u16());
    span.record("client", client.as_deref());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    line.write(client.as_deref(), status.as_u16());
    line.keep(status);
    docket_instrumentation::inject(response.headers_mut());
    response
}

/// A path that says nothing but which of our resources it is: what else a caller may have written
/// into it, in whatever encoding, is not for telemetry. The query never is.
fn plain(path: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._".contains(&byte);
    (path.len() <= LONGEST_PATH && path.bytes().all(is_plain))
        .then_some(path)
        .filter(|path| docket_instrumentation::is_clean(path))
}

/// The log line of a request; also of one whose caller left before the answer.
struct Line {
    workload: &'static str,
    method: &'static str,
    route: String,
    start: Instant,
    /// Of a request without a span.
    place: Option<Context>,
    written: bool,
}

impl Line {
    fn write(&mut self, client: Option<&str>, status: u16) {
        self.written = true;
        tracing::info!(
            docket.workload = self.workload,
            method = self.method,
            route = self.route,
            client,
            status,
            duration_ms = self.milliseconds(),
            "request"
        );
    }

    /// A span for a trace that has no other.
    fn keep(&self, status: StatusCode) {
        let took = self.start.elapsed();
        let Some(reason) = worth_keeping(status, took) else {
            return;
        };
        let attributes = vec![
            KeyValue::new("docket.workload", self.workload),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
            KeyValue::new("http.request.method", self.method),
            KeyValue::new("http.route", self.route.clone()),
        ];
        let name = format!("{} {}", self.method, self.route);
        docket_instrumentation::keep(name, reason, took, attributes);
    }

    fn milliseconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.written {
            // A future that is dropped takes its span along, but not its context.
            let _place = self.place.take().map(Context::attach);
            tracing::info!(
                docket.workload = self.workload,
                method = self.method,
                route = self.route,
                duration_ms = self.milliseconds(),
                "request abandoned by its caller"
            );
        }
    }
}

/// Whether the trace shows the request even when it is one of too many.
fn worth_keeping(status: StatusCode, took: Duration) -> Option<Reason> {
    match (status.is_server_error(), took >= SLOW) {
        (true, _) => Some(Reason::Failed),
        (false, true) => Some(Reason::Slow),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_when_it_names_a_resource_and_nothing_else() {
        let long = format!("/{}", "a".repeat(LONGEST_PATH));
        for (path, is_told) in [
            ("/clients/globex/documents/12345678/content", true),
            ("/clients/jane@example.com/documents", false),
            ("/clients/jane%40example.com/documents", false),
            ("/clients/jane%2540example.com/documents", false),
            ("/clients/globex/documents/4111111111111111", false),
            ("/clients/078-05-1120/documents", false),
            (&long, false),
        ] {
            assert_eq!(plain(path).is_some(), is_told, "{path}");
        }
    }
}

//! The server span of a request and its one log line.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::auth::Caller;
use super::request_id::RequestId;
use super::{method, route};

/// A longer path is not one that is served.
const LONGEST_PATH: usize = 256;

pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let line = Line {
        method: method(request.method()),
        route: route(request.extensions()),
        start: Instant::now(),
        written: false,
    };
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or_else(String::new, |id| id.0.clone());
    let span = tracing::info_span!(
        "http_request",
        otel.name = format!("{} {}", line.method, line.route),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = line.method,
        http.route = line.route,
        http.response.status_code = Empty,
        url.path = told(request.uri().path()),
        client = Empty,
    );
    docket_instrumentation::accept_request(&span, request.headers(), &id);
    answer(request, next, line).instrument(span).await
}

async fn answer(request: Request, next: Next, mut line: Line) -> Response {
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
    line.write(client.as_deref(), status.as_u16());
    docket_instrumentation::inject(response.headers_mut());
    response
}

/// A path that says nothing but which of our resources it is: what else a caller may have written
/// into it, in whatever encoding, is not for telemetry. The query never is.
fn told(path: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._".contains(&byte);
    (path.len() <= LONGEST_PATH && path.bytes().all(plain))
        .then_some(path)
        .filter(|path| docket_instrumentation::is_clean(path))
}

/// The log line of a request; also of one whose caller left before the answer.
struct Line {
    method: &'static str,
    route: String,
    start: Instant,
    written: bool,
}

impl Line {
    fn write(&mut self, client: Option<&str>, status: u16) {
        self.written = true;
        tracing::info!(
            method = self.method,
            route = self.route,
            client,
            status,
            duration_ms = self.milliseconds(),
            "request"
        );
    }

    fn milliseconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.written {
            tracing::info!(
                method = self.method,
                route = self.route,
                duration_ms = self.milliseconds(),
                "request abandoned by its caller"
            );
        }
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
            assert_eq!(told(path).is_some(), is_told, "{path}");
        }
    }
}

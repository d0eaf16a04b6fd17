//! A proxy between one operator and the API server. It shows the operator one namespace as if it
//! were the cluster, numbers what the operator writes, and lets it fail.

mod call;
mod ledger;
mod watches;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use self::call::Call;
use self::ledger::Ledger;
pub use self::ledger::Written;
pub use self::watches::Disturbance;
use self::watches::Watches;
use crate::kubernetes::Kubernetes;
use crate::operator::Operator;
use crate::proxy::{Proxy, Victim};
use crate::script::{Fault, Place, Script};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Body = BoxBody<Bytes, Error>;

/// How long an answer needs from here to the operator, generously.
pub(crate) const DELIVERY: Duration = Duration::from_millis(3);

/// After how long a 429 says to come back.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The proxy; it ends on drop.
#[derive(Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
    proxy: Proxy,
}

#[derive(Debug)]
struct Shared {
    upstream: Kubernetes,
    /// `None`: the operator sees the whole cluster.
    namespace: Option<String>,
    script: Arc<Script>,
    victim: Victim,
    watches: Watches,
    ledger: Ledger,
}

impl Gateway {
    /// A proxy before `upstream`.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(
        upstream: Kubernetes,
        namespace: Option<String>,
        script: Arc<Script>,
    ) -> Result<Self> {
        let shared = Arc::new(Shared {
            upstream,
            namespace,
            script,
            victim: Victim::default(),
            watches: Watches::default(),
            ledger: Ledger::default(),
        });
        let of_proxy = shared.clone();
        let proxy = Proxy::start(move |stream| serve(of_proxy.clone(), stream)).await?;
        Ok(Self { shared, proxy })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.proxy.address)
    }

    /// Whom the faults kill.
    pub fn serves(&self, operator: Arc<Operator>) {
        self.shared.victim.is(operator);
    }

    /// How often each verb of each resource was asked for, such as `PATCH deployments`; an answer that
    /// goes on is a `WATCH`, one of many objects a `LIST`.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.shared.ledger.calls()
    }

    /// From now on keeps the writes to `namespace`.
    pub fn copy(&self, namespace: &str) {
        self.shared.ledger.copy(namespace);
    }

    /// The writes that were kept.
    #[must_use]
    pub fn copies(&self) -> Vec<Written> {
        self.shared.ledger.copies()
    }

    /// Disturbs the watch of a resource, such as `secrets`; `None` ends that.
    pub fn disturb(&self, resource: &str, disturbance: Option<Disturbance>) {
        self.shared.watches.disturb(resource, disturbance);
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let service = service_fn(move |request| answer(shared.clone(), request));
    // A connection that we cut ends with an error.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let namespace = shared.namespace.as_deref();
    let call = Call::of(&parts.method, &parts.uri, &body, namespace);
    shared.ledger.count(&call.name);
    if call.writes {
        shared.script.writes();
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        let write = || Written {
            method: parts.method.clone(),
            path: call.path.clone(),
            content_type: content_type
                .and_then(|it| it.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        shared.ledger.saw(write, &call.path);
    }
    let fault = call
        .counted
        .clone()
        .and_then(|counted| shared.script.arrives(Place::Kubernetes, counted));
    match fault {
        Some(Fault::KillBefore) => {
            shared.victim.crash();
            return Err("killed before".into());
        }
        Some(Fault::Cut) => return Err("cut before".into()),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Conflict) => return Ok(refusal(409, "Conflict")),
        Some(Fault::TooMany) => return Ok(refusal(429, "TooManyRequests")),
        Some(Fault::Internal) => return Ok(refusal(500, "InternalError")),
        Some(Fault::Unavailable) => return Ok(refusal(503, "ServiceUnavailable")),
        _ => {}
    }
    // What is on its way arrives, also when the operator is killed or does not wait for it.
    let sent = tokio::spawn(forward(shared.clone(), parts, call, body));
    let (status, headers, body) = match sent.await?? {
        Forwarded::Watch(response) => return Ok(response),
        Forwarded::Answer(status, headers, body) => (status, headers, body),
    };
    match fault {
        Some(Fault::KillCommitted) => {
            shared.victim.crash();
            return Err("killed when committed".into());
        }
        Some(Fault::CutCommitted) => return Err("cut when committed".into()),
        Some(Fault::KillAnswered) => {
            tokio::spawn(async move {
                tokio::time::sleep(DELIVERY).await;
                shared.victim.crash();
            });
        }
        _ => {}
    }
    Ok(respond(status, &headers, full(body)))
}

enum Forwarded {
    Watch(Response<Body>),
    Answer(StatusCode, HeaderMap, Bytes),
}

async fn forward(
    shared: Arc<Shared>,
    parts: http::request::Parts,
    call: Call,
    body: Bytes,
) -> reqwest::Result<Forwarded> {
    let mut request = shared.upstream.request(parts.method, &call.path);
    for name in [header::ACCEPT, header::CONTENT_TYPE, header::USER_AGENT] {
        if let Some(value) = parts.headers.get(&name) {
            request = request.header(name, value);
        }
    }
    if !body.is_empty() {
        request = request.body(body);
    }
    let response = request.send().await?;
    if let Some(watched) = call.watched {
        return Ok(Forwarded::Watch(shared.watches.relay(watched, response)));
    }
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await?;
    if let Some(what) = &call.counted
        && let Some(committed) = call::committed(what, status)
    {
        shared.script.committed(committed);
    }
    Ok(Forwarded::Answer(status, headers, body))
}

fn respond(status: StatusCode, headers: &HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for name in [header::CONTENT_TYPE, header::RETRY_AFTER] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// As the API server refuses.
fn refusal(code: u16, reason: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "refused on purpose", "reason": reason, "code": code,
    });
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    if code == 429 {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER.as_secs().into());
    }
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(code, &headers, full(status.to_string().into()))
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

//! Enough of an API server to keep an operator busy: one tenant that changes all the time and whose
//! Secret is missing, so that each change is answered by a status; and a Lease.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use docket_crds::names;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

/// Time between two changes of the tenant.
const CHANGES: Duration = Duration::from_millis(10);

/// How long the Lease's answers take: who waits for them before it stops writing stops too late.
const LEASE_ANSWER: Duration = Duration::from_millis(200);

/// The server; each process talks to it under a path of its own.
pub struct ApiServer {
    address: std::net::SocketAddr,
    state: Arc<Known>,
}

#[derive(Default)]
struct Known {
    version: AtomicU64,
    lease: Mutex<Option<Value>>,
    writes: Mutex<Vec<(String, Instant)>>,
    looks: Mutex<Vec<(String, Value)>>,
}

impl ApiServer {
    /// Listens on a port of the loopback interface.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Known::default());
        let router = Router::new().fallback(answer).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    /// Where the process `name` finds it.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// When the process `name` wrote anything but the Lease for the first time after `since`.
    pub async fn write_of(&self, name: &str, since: Instant, patience: Duration) -> Instant {
        until(patience, || {
            let writes = self.state.writes.lock().expect("no panic");
            let mut of_process = writes.iter().filter(|(process, _)| process == name);
            of_process.find(|(_, at)| *at >= since).map(|(_, at)| *at)
        })
        .await
    }

    /// Waits until the process `name` saw `count` different states of the Lease.
    pub async fn renewals_seen_by(&self, name: &str, count: usize, patience: Duration) {
        until(patience, || {
            let looks = self.state.looks.lock().expect("no panic");
            let mut seen: Vec<&Value> = looks
                .iter()
                .filter_map(|(process, lease)| (process == name).then_some(lease))
                .collect();
            seen.dedup();
            (seen.len() >= count).then_some(())
        })
        .await;
    }

    pub fn writes_of(&self, name: &str) -> usize {
        let writes = self.state.writes.lock().expect("no panic");
        writes.iter().filter(|(process, _)| process == name).count()
    }

    pub fn last_write_of(&self, name: &str) -> Option<Instant> {
        let writes = self.state.writes.lock().expect("no panic");
        let mut of_process = writes.iter().rev().filter(|(process, _)| process == name);
        of_process.next().map(|(_, at)| *at)
    }

    pub fn holder(&self) -> Option<String> {
        let lease = self.state.lease.lock().expect("no panic");
        let holder = &lease.as_ref()?["spec"]["holderIdentity"];
        Some(holder.as_str()?.to_owned())
    }
}

async fn until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < patience, "it did not happen in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Known {
    fn next_version(&self) -> String {
        (self.version.fetch_add(1, Ordering::SeqCst) + 1).to_string()
    }

    /// Each time with another spec than before.
    fn tenant(&self) -> Value {
        let version = self.next_version();
        let generation: i64 = version.parse().unwrap_or_default();
        json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "namespace": "acme", "uid": "u", "generation": generation,
                "finalizers": [names::DATA_FINALIZER], "resourceVersion": version},
            "spec": {"clients": [{"name": "globex"}], "database": {"secretRef": {"name": "docket-database"}},
                "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": "http://s3", "secretRef": {"name": "docket-s3"}}}}}},
        })
    }

    fn look_at_lease(&self, process: &str) -> Response {
        match &*self.lease.lock().expect("no panic") {
            None => refusal(StatusCode::NOT_FOUND, "NotFound"),
            Some(lease) => {
                let mut looks = self.looks.lock().expect("no panic");
                looks.push((process.to_owned(), lease.clone()));
                Json(lease).into_response()
            }
        }
    }

    fn write_lease(&self, mut lease: Value) -> Response {
        let mut held = self.lease.lock().expect("no panic");
        let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
        if held.as_ref().map(version).unwrap_or_default() != version(&lease) {
            return refusal(StatusCode::CONFLICT, "Conflict");
        }
        lease["metadata"]["resourceVersion"] = self.next_version().into();
        *held = Some(lease.clone());
        Json(lease).into_response()
    }
}

async fn answer(State(known): State<Arc<Known>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches('/').to_owned();
    let (process, path) = path.split_once('/').unwrap_or_default();
    let watch = parts
        .uri
        .query()
        .is_some_and(|query| query.contains("watch=true"));
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if path.ends_with("/leases") && parts.method == Method::GET {
        return list(Vec::new(), &known);
    }
    if path.contains("/leases") {
        tokio::time::sleep(LEASE_ANSWER).await;
        return match parts.method {
            Method::GET => known.look_at_lease(process),
            _ => known.write_lease(body),
        };
    }
    if parts.method != Method::GET {
        let mut writes = known.writes.lock().expect("no panic");
        writes.push((process.to_owned(), Instant::now()));
        let event = path.contains("/events");
        return Json(if event { body } else { known.tenant() }).into_response();
    }
    let tenants = path.ends_with("/documenttenants");
    match (watch, tenants) {
        (true, true) => changes(known),
        (true, false) => {
            Body::from_stream(stream::pending::<Result<String, std::io::Error>>()).into_response()
        }
        (false, true) => list(vec![known.tenant()], &known),
        // Neither children nor a Gateway API nor a Prometheus operator.
        (false, false)
            if ["/namespaces/", "/gateway.", "/monitoring."]
                .iter()
                .any(|part| path.contains(part)) =>
        {
            refusal(StatusCode::NOT_FOUND, "NotFound")
        }
        (false, false) => list(Vec::new(), &known),
    }
}

fn changes(known: Arc<Known>) -> Response {
    let events = stream::unfold(known, |known| async move {
        tokio::time::sleep(CHANGES).await;
        let event = json!({"type": "MODIFIED", "object": known.tenant()});
        Some((Ok::<_, std::io::Error>(format!("{event}\n")), known))
    });
    Body::from_stream(events.boxed()).into_response()
}

fn list(items: Vec<Value>, known: &Known) -> Response {
    let list = json!({"apiVersion": "v1", "kind": "List",
        "metadata": {"resourceVersion": known.next_version()}, "items": items});
    Json(list).into_response()
}

fn refusal(status: StatusCode, reason: &str) -> Response {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason,
        "code": status.as_u16(),
    });
    (status, Json(body)).into_response()
}

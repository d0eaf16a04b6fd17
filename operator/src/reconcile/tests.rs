//! Failure paths, against an API server that is not one; and what a second component and a second kind need.

mod second_component;
mod second_kind;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_crds::DocumentTenant;
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use kube::runtime::controller::Action;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};
use tower::service_fn;

use super::reconcile;
use crate::build::Images;
use crate::cache::caches::Caches;
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::referenced_secrets::ReferencedSecrets;
use crate::context::Context;
use crate::database::Databases;
use crate::error::Result;
use crate::leadership::fence::Fence;
use crate::memory::TenantMemories;
use crate::monitoring::metrics::Metrics;
use crate::monitoring::telemetry_loss::TelemetryLoss;
use crate::recheck::Recheck;
use crate::status::events::Events;

const TENANTS: &str = "/apis/docket.dev/v1alpha1/namespaces/acme/documenttenants/acme";
const DATABASE_SECRET: &str = "/api/v1/namespaces/acme/secrets/docket-database";

/// Answers each path with what it was given, and keeps what was written.
#[derive(Clone)]
struct FakeApiServer {
    answers: BTreeMap<&'static str, (StatusCode, Value)>,
    /// Objects by their path, which are as the last patch made them.
    objects: BTreeMap<&'static str, Value>,
    written: Arc<Mutex<Vec<(Method, String, Value)>>>,
}

impl Default for FakeApiServer {
    fn default() -> Self {
        Self {
            answers: BTreeMap::new(),
            objects: [(TENANTS, tenant())].into(),
            written: Arc::default(),
        }
    }
}

impl FakeApiServer {
    fn answering(mut self, path: &'static str, status: StatusCode, body: Value) -> Self {
        self.answers.insert(path, (status, body));
        self
    }

    fn keeping(mut self, path: &'static str, object: Value) -> Self {
        self.objects.insert(path, object);
        self
    }

    fn client(&self) -> Client {
        let server = self.clone();
        Client::new(
            service_fn(move |request: Request<Body>| {
                let server = server.clone();
                async move { Ok::<_, Infallible>(server.answer(request).await) }
            }),
            "default",
        )
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let body = body.collect_bytes().await.expect("a body");
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let creates = parts.method == Method::POST;
        if parts.method != Method::GET {
            self.written
                .lock()
                .expect("no panic")
                .push((parts.method, path.clone(), body.clone()));
        }
        let mut kept = self.objects.iter().rev();
        let kept = kept.find(|(of, _)| path.starts_with(**of));
        let (status, answer) = match self.answers.get(path.as_str()) {
            Some(answer) => answer.clone(),
            None if creates => (StatusCode::CREATED, body),
            None => match kept {
                Some((_, object)) => (StatusCode::OK, merged(object.clone(), body)),
                None => refusal(StatusCode::NOT_FOUND, "NotFound"),
            },
        };
        Response::builder()
            .status(status)
            .body(Body::from(answer.to_string().into_bytes()))
            .expect("a response")
    }

    /// The conditions of the last status that was written: type, status and reason.
    fn conditions(&self) -> Vec<(String, String, String)> {
        let written = self.written.lock().expect("no panic");
        let status = written
            .iter()
            .rev()
            .find(|(_, path, _)| path.ends_with("/status"));
        let (_, _, body) = status.expect("a status was written");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        body["status"]["conditions"]
            .as_array()
            .expect("conditions")
            .iter()
            .map(|one| {
                (
                    text(&one["type"]),
                    text(&one["status"]),
                    text(&one["reason"]),
                )
            })
            .collect()
    }
}

fn refusal(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": reason,
        "code": status.as_u16(),
    });
    (status, body)
}

fn tenant() -> Value {
    json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
        "metadata": {"name": "acme", "namespace": "acme", "uid": "u", "generation": 1, "resourceVersion": "1"},
        "spec": {"clients": [{"name": "globex"}], "database": {"secretRef": {"name": "docket-database"}},
            "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": "http://s3", "secretRef": {"name": "docket-s3"}}}}}},
    })
}

fn merged(mut object: Value, patch: Value) -> Value {
    if let (Some(status), Some(fields)) = (patch.get("status"), object.as_object_mut()) {
        fields.insert("status".into(), status.clone());
    }
    if let Some(finalizers) = patch["metadata"].get("finalizers") {
        object["metadata"]["finalizers"] = finalizers.clone();
    }
    object
}

/// What the watch has brought already.
fn memory() -> Arc<TenantMemories> {
    let memory = TenantMemories::default();
    let tenant = serde_json::from_value(tenant()).expect("a tenant");
    memory.take(&Event::Apply(tenant));
    Arc::new(memory)
}

fn context(server: &FakeApiServer) -> Arc<Context> {
    let caches = Caches::default();
    let (_, filled) = tokio::sync::watch::channel(true);
    Arc::new(Context {
        client: server.client(),
        fence: Fence::open(),
        caches,
        filled,
        optional: OptionalKinds::none(),
        databases: Databases::new(Metrics::default(), Fence::open(), Duration::from_secs(60)),
        referenced_secrets: ReferencedSecrets::default(),
        images: Images {
            api: "api".into(),
            collector: "collector".into(),
            telemetry_endpoint: None,
            ..Images::default()
        },
        memory: memory(),
        telemetry_loss: TelemetryLoss::default(),
        recheck: Recheck::default(),
        turn: Duration::MAX,
        metrics: Metrics::default(),
        events: Events::new(server.client(), "test".into()),
    })
}

async fn visit(server: &FakeApiServer) -> Result<Action> {
    let tenant: DocumentTenant = serde_json::from_value(tenant()).expect("a tenant");
    reconcile(Arc::new(tenant), context(server)).await
}

#[tokio::test]
async fn a_secret_that_is_missing_is_on_all_conditions_that_it_concerns_and_is_not_retried() {
    let server = FakeApiServer::default();
    let action = visit(&server).await.expect("it is the user's turn");
    assert_eq!(action, Action::await_change());
    let conditions = server.conditions();
    let seen: Vec<(&str, &str, &str)> = conditions
        .iter()
        .map(|(t, s, r)| (t.as_str(), s.as_str(), r.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("Ready", "False", "SecretNotFound"),
            ("CredentialsReady", "Unknown", "NotReached"),
            ("DatabaseReady", "False", "SecretNotFound"),
            ("ApiAvailable", "Unknown", "NotReached"),
            ("CollectorReady", "Unknown", "NotReached"),
        ]
    );
}

#[tokio::test]
async fn the_finalizer_is_there_before_anything_else_is_written() {
    let server = FakeApiServer::default();
    visit(&server).await.expect("it is the user's turn");
    let written = server.written.lock().expect("no panic");
    let (method, path, body) = written.first().expect("something was written");
    assert_eq!((method, path.as_str()), (&Method::PATCH, TENANTS));
    assert_eq!(
        body["metadata"]["finalizers"],
        json!([docket_crds::names::DATA_FINALIZER])
    );
}

#[tokio::test]
async fn an_api_server_that_fails_is_tried_again_and_named_on_the_status() {
    let (status, body) = refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    let server = FakeApiServer::default().answering(DATABASE_SECRET, status, body);
    let error = visit(&server).await.expect_err("it is tried again");
    assert!(error.is_transient(), "{error}");
    assert!(
        server
            .conditions()
            .contains(&("Ready".into(), "False".into(), "KubernetesError".into())),
        "{:?}",
        server.conditions()
    );
}

#[tokio::test]
async fn a_secret_that_lacks_a_key_is_the_users_to_mend() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "docket-database"}, "data": {}});
    let server = FakeApiServer::default().answering(DATABASE_SECRET, StatusCode::OK, secret);
    assert_eq!(
        visit(&server).await.expect("no retry"),
        Action::await_change()
    );
    assert!(
        server.conditions().contains(&(
            "DatabaseReady".into(),
            "False".into(),
            "SecretInvalid".into()
        )),
        "{:?}",
        server.conditions()
    );
}

#[tokio::test]
async fn a_tenant_that_is_being_deleted_without_our_finalizer_is_left_alone() {
    let server = FakeApiServer::default();
    let mut gone = tenant();
    gone["metadata"]["deletionTimestamp"] = json!("2026-11-21T12:00:00Z");
    let gone: DocumentTenant = serde_json::from_value(gone).expect("a tenant");
    let action = reconcile(Arc::new(gone), context(&server))
        .await
        .expect("nothing to do");
    assert_eq!(action, Action::await_change());
    assert!(server.written.lock().expect("no panic").is_empty());
}

//! Enough of an API server to reconcile a tenant against: objects by their path, one field manager,
//! and pods that come about as soon as they are asked for.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_crds::{ConditionType, DocumentTenant, labels, names};
use docket_operator::allowed::Allowed;
use docket_operator::build::Images;
use docket_operator::cache::caches::Caches;
use docket_operator::cache::optional_kinds::OptionalKinds;
use docket_operator::cache::referenced_secrets::ReferencedSecrets;
use docket_operator::context::Context;
use docket_operator::database::Databases;
use docket_operator::error::Result;
use docket_operator::leadership::fence::Fence;
use docket_operator::memory::{Intervals, TenantMemories};
use docket_operator::monitoring::metrics::Metrics;
use docket_operator::monitoring::objectives::{self, Prometheus};
use docket_operator::monitoring::telemetry_loss::TelemetryLoss;
use docket_operator::recheck::Recheck;
use docket_operator::reconcile::reconcile;
use docket_operator::status::events::Events;
use http::{Method, Request, Response, StatusCode};
use k8s_openapi::ByteString;
use kube::Client;
use kube::client::Body;
use kube::runtime::controller::Action;
use kube::runtime::reflector;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};
use tower::service_fn;

const PODS: &str = "/api/v1/namespaces/acme/pods";
const TENANT: &str = "/apis/docket.dev/v1alpha1/namespaces/acme/documenttenants/acme";

/// The cluster, and an operator in it.
pub struct Cluster {
    known: Arc<Mutex<Known>>,
    context: Arc<Context>,
}

#[derive(Default)]
struct Known {
    objects: BTreeMap<String, Value>,
    /// Names of the entries that the operator applied, by path.
    applied: BTreeMap<String, Vec<String>>,
    writes: Vec<String>,
    events: Vec<(String, String)>,
    version: u64,
    pods_wait: bool,
    /// Writes until one fails, and whether it is done all the same.
    failure: Option<(usize, bool)>,
}

impl Cluster {
    /// The tenant `acme` in the namespace `acme`, whose database is what `secret` says.
    pub fn new(clients: &[&str], secret: &[(&str, String)]) -> Self {
        Self::having(OptionalKinds::none(), clients, secret)
    }

    /// The same where the cluster has `optional` kinds.
    pub fn having(optional: OptionalKinds, clients: &[&str], secret: &[(&str, String)]) -> Self {
        // Only the first test can win, and all ask for the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let known = Arc::new(Mutex::new(Known::default()));
        let client = client(known.clone());
        let (_, filled) = tokio::sync::watch::channel(true);
        let metrics = Metrics::default();
        let context = Context {
            client: client.clone(),
            fence: Fence::open(),
            caches: Caches::default(),
            filled,
            optional,
            databases: Databases::new(metrics.clone(), Fence::open(), Duration::from_secs(60)),
            referenced_secrets: ReferencedSecrets::default(),
            images: Images {
                api: "api".into(),
                collector: "collector".into(),
                telemetry_endpoint: None,
                ..Images::default()
            },
            memory: Arc::default(),
            telemetry_loss: TelemetryLoss::default(),
            recheck: Recheck::default(),
            turn: Duration::MAX,
            metrics,
            events: Events::new(client, "test".into()),
        };
        let cluster = Self {
            known,
            context: Arc::new(context),
        };
        cluster.put_secret("docket-database", secret);
        let s3 = [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
        ];
        cluster.put_secret("docket-s3", &s3);
        let clients: Vec<Value> = clients.iter().map(|name| json!({"name": name})).collect();
        cluster.put(
            TENANT,
            json!({
                "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
                "metadata": {"name": "acme", "namespace": "acme", "uid": "u", "generation": 1},
                "spec": {"clients": clients, "database": {"secretRef": {"name": "docket-database"}},
                    "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": "http://127.0.0.1:1",
                        "secretRef": {"name": "docket-s3"}}}}}},
            }),
        );
        cluster
    }

    /// Lets first reports wait for the next, for `longest`.
    pub fn hold_reports(&mut self, longest: Duration) {
        self.remember_for(Intervals {
            debounce: longest,
            ..Intervals::default()
        });
    }

    /// Lets what was read of a database be good for `fresh`.
    pub fn trust_inspections(&mut self, fresh: Duration) {
        self.remember_for(Intervals {
            inspection: fresh,
            ..Intervals::default()
        });
    }

    fn remember_for(&mut self, intervals: Intervals) {
        let context = Arc::get_mut(&mut self.context).expect("no reconcile runs");
        context.memory = Arc::new(TenantMemories::new(intervals));
    }

    /// Lets a tenant let data go for as long as `turn` at a time.
    pub fn take_turns(&mut self, turn: Duration) {
        let context = Arc::get_mut(&mut self.context).expect("no reconcile runs");
        context.turn = turn;
    }

    /// Lets tenants choose only what is `allowed`.
    pub fn bound_choices(&mut self, allowed: Allowed) {
        let context = Arc::get_mut(&mut self.context).expect("no reconcile runs");
        context.images.allowed = allowed;
    }

    /// Lets nothing in the database take longer than `deadline`.
    pub fn give_up_after(&mut self, deadline: Duration) {
        let context = Arc::get_mut(&mut self.context).expect("no reconcile runs");
        context.databases = Databases::new(Metrics::default(), Fence::open(), deadline);
    }

    /// Reconciles once.
    pub async fn reconcile(&self) -> Result<Action> {
        self.reconcile_tenant(TENANT).await
    }

    /// Reconciles the tenant at `path` once.
    pub async fn reconcile_tenant(&self, path: &str) -> Result<Action> {
        let tenant: DocumentTenant = serde_json::from_value(self.get(path)).expect("a tenant");
        self.context.memory.take(&Event::Apply(tenant.clone()));
        reconcile(Arc::new(tenant), self.context.clone()).await
    }

    /// Reconciles until nothing is left to do.
    pub async fn settle(&self) {
        for _ in 0..10 {
            self.forget_writes();
            self.reconcile().await.expect("no failure");
            if self.writes().is_empty() {
                return;
            }
        }
        panic!("it never settles: {:?}", self.writes());
    }

    /// Says of all tenants how far their objectives are met, once in `interval`, for as long as it is polled.
    pub async fn watch_objectives(&self, source: Option<Prometheus>, interval: Duration) {
        let (tenants, mut writer) = reflector::store();
        for object in self.lock().objects.values() {
            if object["kind"] == "DocumentTenant" {
                let tenant = serde_json::from_value(object.clone()).expect("a tenant");
                let event = Event::Apply(tenant);
                self.context.memory.take(&event);
                writer.apply_watcher_event(&event);
            }
        }
        objectives::watch(tenants, source, Vec::new(), interval, self.context.clone()).await;
    }

    /// Puts a tenant `name` there that asks for the same.
    pub fn put_copy_of_tenant(&self, name: &str) {
        let mut tenant = self.get(TENANT);
        tenant["metadata"]["name"] = name.into();
        tenant["metadata"]["uid"] = name.into();
        let path = format!("/apis/docket.dev/v1alpha1/namespaces/acme/documenttenants/{name}");
        self.put(&path, tenant);
    }

    pub fn tenant(&self) -> DocumentTenant {
        serde_json::from_value(self.get(TENANT)).expect("a tenant")
    }

    /// The status, reason and message of the condition `type_`.
    pub fn condition(&self, type_: ConditionType) -> (String, String, String) {
        let tenant = self.tenant();
        let found = docket_crds::condition(&tenant, type_);
        let found = found
            .unwrap_or_else(|| panic!("no condition {type_}"))
            .clone();
        (found.status, found.reason, found.message)
    }

    /// Merges `change` into the tenant, as a user would.
    pub fn change(&self, change: Value) {
        let mut tenant = self.get(TENANT);
        let before = tenant["spec"].clone();
        merge(&mut tenant, change);
        if tenant["spec"] != before {
            let generation = tenant["metadata"]["generation"]
                .as_i64()
                .unwrap_or_default();
            tenant["metadata"]["generation"] = (generation + 1).into();
        }
        self.put(TENANT, tenant);
    }

    /// Puts a Secret of the user's there; the labels of one that is there stay.
    pub fn put_secret(&self, name: &str, entries: &[(&str, impl AsRef<[u8]>)]) {
        let data: BTreeMap<&str, ByteString> = entries
            .iter()
            .map(|(key, value)| (*key, ByteString(value.as_ref().to_vec())))
            .collect();
        let labels = self.get(&secret_path(name))["metadata"]["labels"].clone();
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": "acme", "labels": labels}, "data": data});
        self.put(&secret_path(name), secret);
    }

    /// Says of a Secret that it may be sent away as `what`.
    pub fn allow_secret_as(&self, name: &str, what: &str) {
        let mut secret = self.get(&secret_path(name));
        secret["metadata"]["labels"] = json!({labels::ALLOWED_AS: what});
        self.put(&secret_path(name), secret);
    }

    pub fn get(&self, path: &str) -> Value {
        self.lock().objects.get(path).cloned().unwrap_or_default()
    }

    /// Puts an object there, as somebody else would.
    pub fn put(&self, path: &str, mut object: Value) {
        let mut known = self.lock();
        object["metadata"]["resourceVersion"] = known.next_version();
        known.objects.insert(path.to_owned(), object);
    }

    /// Lets the watch bring a pod of the tenant.
    pub fn show_pod(&self, status: &Value) {
        let pod = json!({
            "metadata": {"name": "acme-api-1", "namespace": "acme", "labels": {labels::TENANT: "acme"}},
            "status": status,
        });
        let pod = serde_json::from_value(pod).expect("a Pod");
        self.context.caches.pods.take(&Event::Apply(pod));
    }

    /// Lets the watch bring the Ingress at `path`.
    pub fn show_ingress(&self, path: &str) {
        let ingress = serde_json::from_value(self.get(path)).expect("an Ingress");
        self.context.caches.ingresses.take(&Event::Apply(ingress));
    }

    /// Lets the watch bring the Secret `name` of the tenant.
    pub fn show_secret(&self, name: &str) {
        let secret = serde_json::from_value(self.get(&secret_path(name))).expect("a Secret");
        self.context.caches.secrets.take(&Event::Apply(secret));
    }

    /// An entry of a Secret.
    pub fn secret(&self, name: &str, key: &str) -> Option<String> {
        let data = self.get(&secret_path(name))["data"].get(key)?.clone();
        let bytes: ByteString = serde_json::from_value(data).ok()?;
        String::from_utf8(bytes.0).ok()
    }

    /// Writes an entry of a Secret.
    pub fn put_entry(&self, name: &str, key: &str, value: &[u8]) {
        let mut secret = self.get(&secret_path(name));
        secret["data"][key] = json!(ByteString(value.to_vec()));
        self.put(&secret_path(name), secret);
    }

    /// Forgets what is remembered of all tenants, as a new operator does not know it.
    pub fn forget_tenants(&self) {
        let gone = self.tenant();
        self.context.memory.take(&Event::Delete(gone));
    }

    /// Takes an entry out of a Secret.
    pub fn remove_entry(&self, name: &str, key: &str) {
        let mut secret = self.get(&secret_path(name));
        let data = secret["data"].as_object_mut().expect("entries");
        data.remove(key).expect("the entry");
        self.put(&secret_path(name), secret);
    }

    /// Whether pods of a new template stay away from now on.
    pub fn hold_pods(&self, hold: bool) {
        let mut known = self.lock();
        known.pods_wait = hold;
        let mut deployments = known.objects.values_mut();
        if let Some(deployment) = deployments.find(|it| it["kind"] == "Deployment" && !hold) {
            become_ready(deployment);
        }
    }

    /// Lets the write after `count` more fail, after it was done if `done`.
    pub fn fail_after(&self, count: usize, done: bool) {
        self.lock().failure = Some((count, done));
    }

    /// Whether such a failure is still to come; it will not.
    pub fn forget_failure(&self) -> bool {
        self.lock().failure.take().is_some()
    }

    /// Takes an object away, as somebody else would.
    pub fn remove(&self, path: &str) {
        self.lock().objects.remove(path);
    }

    /// Paths of what the operator wrote, Events left out.
    pub fn writes(&self) -> Vec<String> {
        self.lock().writes.clone()
    }

    pub fn forget_writes(&self) {
        self.lock().writes.clear();
    }

    /// Reasons and notes of the Events so far.
    pub fn events(&self) -> Vec<(String, String)> {
        self.lock().events.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().expect("no panic")
    }
}

impl Known {
    fn next_version(&mut self) -> Value {
        self.version += 1;
        self.version.to_string().into()
    }

    fn answer(&mut self, method: &Method, path: &str, body: Value) -> (StatusCode, Value) {
        if path.contains("/events") {
            let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
            self.events.push((text("reason"), text("note")));
            return (StatusCode::CREATED, body);
        }
        let (path, status_only) = match path.strip_suffix("/status") {
            Some(path) => (path, true),
            None => (path, false),
        };
        if *method == Method::GET && path == PODS {
            let below = format!("{PODS}/");
            let pods = self
                .objects
                .iter()
                .filter(|(path, _)| path.starts_with(&below));
            let items: Vec<Value> = pods.map(|(_, pod)| pod.clone()).collect();
            let list =
                json!({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": items});
            return (StatusCode::OK, list);
        }
        if *method == Method::GET {
            return match self.objects.get(path) {
                Some(object) => (StatusCode::OK, object.clone()),
                None => refusal(StatusCode::NOT_FOUND, "NotFound"),
            };
        }
        let fails = match &mut self.failure {
            Some((0, done)) => Some(*done),
            Some((count, _)) => {
                *count -= 1;
                None
            }
            None => None,
        };
        if let Some(done) = fails {
            self.failure = None;
            if done {
                self.write(method, path, status_only, body);
            }
            return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
        }
        self.write(method, path, status_only, body)
    }

    /// Entries of a Secret that were applied before and are no more.
    fn take_out(&mut self, path: &str, object: &mut Value, applied: &Value) {
        let names = |object: &Value| -> Vec<String> {
            let data = object["data"].as_object();
            data.into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect()
        };
        let now = names(applied);
        let managers = object["metadata"]["managedFields"].as_array();
        let updated = managers.into_iter().flatten().any(|entry| {
            entry["manager"] == names::OPERATOR_FIELD_MANAGER && entry["operation"] == "Update"
        });
        // An apply leaves alone what counts as updated.
        if updated || !applied["metadata"]["managedFields"].is_null() {
            return;
        }
        let before = self.applied.insert(path.to_owned(), now.clone());
        for name in before.unwrap_or_default() {
            if let Some(data) = object["data"]
                .as_object_mut()
                .filter(|_| !now.contains(&name))
            {
                data.remove(&name);
            }
        }
    }

    /// Writes down the fields of a new object as updated; the name is in the body alone.
    fn create(&mut self, collection: &str, mut object: Value) -> (StatusCode, Value) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("{collection}/{name}");
        if self.objects.contains_key(&path) {
            self.writes.pop();
            return refusal(StatusCode::CONFLICT, "AlreadyExists");
        }
        self.take_out(&path, &mut Value::Null, &object);
        if object["kind"] == "Deployment" {
            roll_out(&mut object, &Value::Null, self.pods_wait);
        }
        object["metadata"]["managedFields"] = json!([{"manager": names::OPERATOR_FIELD_MANAGER,
            "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {}}]);
        object["metadata"]["resourceVersion"] = self.next_version();
        self.objects.insert(path, object.clone());
        (StatusCode::CREATED, object)
    }

    fn write(
        &mut self,
        method: &Method,
        path: &str,
        status_only: bool,
        body: Value,
    ) -> (StatusCode, Value) {
        self.writes.push(format!("{method} {path}"));
        if *method == Method::DELETE {
            return match self.objects.remove(path) {
                Some(object) => (StatusCode::OK, object),
                None => refusal(StatusCode::NOT_FOUND, "NotFound"),
            };
        }
        if *method == Method::POST {
            return self.create(path, body);
        }
        let before = self.objects.get(path).cloned().unwrap_or_default();
        let (asked, there) = (&body["metadata"]["resourceVersion"], &before["metadata"]);
        if there.is_object() && asked.is_string() && *asked != there["resourceVersion"] {
            self.writes.pop();
            return refusal(StatusCode::CONFLICT, "Conflict");
        }
        let mut object = before.clone();
        if status_only {
            object["status"] = body["status"].clone();
        } else {
            self.take_out(path, &mut object, &body);
            merge(&mut object, body);
        }
        if object["kind"] == "Deployment" {
            roll_out(&mut object, &before, self.pods_wait);
        }
        if object != before {
            object["metadata"]["resourceVersion"] = self.next_version();
        }
        self.objects.insert(path.to_owned(), object.clone());
        (StatusCode::OK, object)
    }
}

/// Pods come about as soon as they are asked for, unless they wait.
fn roll_out(deployment: &mut Value, before: &Value, wait: bool) {
    if deployment["spec"] == before["spec"] && before["status"].is_object() {
        return;
    }
    let generation = before["metadata"]["generation"]
        .as_i64()
        .unwrap_or_default()
        + 1;
    deployment["metadata"]["generation"] = generation.into();
    if !wait {
        become_ready(deployment);
    }
}

fn become_ready(deployment: &mut Value) {
    let (generation, replicas) = (
        &deployment["metadata"]["generation"],
        &deployment["spec"]["replicas"],
    );
    deployment["status"] = json!({"observedGeneration": generation, "replicas": replicas,
        "updatedReplicas": replicas, "availableReplicas": replicas, "readyReplicas": replicas});
}

/// A JSON merge patch (RFC 7396), which is what applying comes to for one manager, but for what it
/// takes out.
fn merge(object: &mut Value, patch: Value) {
    match patch {
        Value::Object(fields) => {
            if !object.is_object() {
                *object = json!({});
            }
            for (key, value) in fields {
                if value.is_null() {
                    object.as_object_mut().expect("an object").remove(&key);
                } else {
                    merge(&mut object[&key], value);
                }
            }
        }
        other => *object = other,
    }
}

fn secret_path(name: &str) -> String {
    format!("/api/v1/namespaces/acme/secrets/{name}")
}

fn client(known: Arc<Mutex<Known>>) -> Client {
    let service = service_fn(move |request: Request<Body>| {
        let known = known.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await.expect("a body");
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let (status, answer) =
                known
                    .lock()
                    .expect("no panic")
                    .answer(&parts.method, parts.uri.path(), body);
            let body = Body::from(answer.to_string().into_bytes());
            let response = Response::builder().status(status).body(body);
            Ok::<_, Infallible>(response.expect("a response"))
        }
    });
    Client::new(service, "default")
}

fn refusal(status: StatusCode, reason: &str) -> (StatusCode, Value) {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
        "message": reason, "code": status.as_u16()});
    (status, body)
}

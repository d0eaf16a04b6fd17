//! Enough of an API server for an operator as a process: objects by their path, lists in pages, watches, and pods that
//! come about as soon as they are asked for. It has ConfigMaps with our label that are nobody's.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use docket_crds::{DocumentTenant, labels};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::sync::watch;

/// ConfigMaps of somebody else.
const NOISE: usize = 300;
/// Bytes of each.
const NOISE_BYTES: usize = 1024 * 1024;

type Parameters = HashMap<String, String>;

/// The server.
pub struct ApiServer {
    address: std::net::SocketAddr,
    known: Arc<Mutex<Known>>,
}

struct Known {
    objects: BTreeMap<String, Value>,
    /// The resource that changed, and the line of a watch, in order.
    events: Vec<(String, String)>,
    news: watch::Sender<usize>,
    version: u64,
}

impl ApiServer {
    /// Listens on a port of the loopback interface.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let known = Arc::new(Mutex::new(Known {
            objects: BTreeMap::new(),
            events: Vec::new(),
            news: watch::Sender::new(0),
            version: 0,
        }));
        let router = Router::new().fallback(answer).with_state(known.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, known }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no panic")
    }

    /// Puts an object there, as a user would.
    pub fn put(&self, collection: &str, object: Value) {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let path = format!("{collection}/{name}");
        self.known().store(&path, object);
    }

    /// Merges `change` into the object at `path`, as a user would.
    pub fn change(&self, path: &str, change: Value) {
        let mut known = self.known();
        let mut object = known.objects.get(path).cloned().expect("it is there");
        merge(&mut object, change);
        let generation = object["metadata"]["generation"]
            .as_i64()
            .unwrap_or_default();
        object["metadata"]["generation"] = (generation + 1).into();
        known.store(path, object);
    }

    /// The tenant at `path`.
    pub fn tenant(&self, path: &str) -> DocumentTenant {
        let object = self.known().objects.get(path).cloned();
        serde_json::from_value(object.expect("it is there")).expect("a tenant")
    }
}

impl Known {
    fn store(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        if object["kind"] == "Deployment" {
            become_ready(&mut object);
        }
        self.tell(path, "MODIFIED", &object);
        self.objects.insert(path.to_owned(), object.clone());
        object
    }

    fn tell(&mut self, path: &str, what: &str, object: &Value) {
        let line = format!("{}\n", json!({"type": what, "object": object}));
        let resource = path.rsplit('/').nth(1).unwrap_or_default();
        self.events.push((resource.to_owned(), line));
        self.news.send_replace(self.events.len());
    }

    fn write(&mut self, method: &Method, path: &str, body: Value) -> Response {
        if path.ends_with("/events") {
            return Json(body).into_response();
        }
        let (path, is_status) = match path.strip_suffix("/status") {
            Some(path) => (path.to_owned(), true),
            None if *method == Method::POST => {
                let name = body["metadata"]["name"].as_str().unwrap_or_default();
                (format!("{path}/{name}"), false)
            }
            None => (path.to_owned(), false),
        };
        let before = self.objects.get(&path).cloned();
        let object = match (method.as_str(), before) {
            ("POST", Some(_)) => return refusal(StatusCode::CONFLICT, "AlreadyExists"),
            ("POST", None) | ("PUT", _) => body,
            ("DELETE", before) => {
                let Some(object) = before else {
                    return refusal(StatusCode::NOT_FOUND, "NotFound");
                };
                self.version += 1;
                self.objects.remove(&path);
                self.tell(&path, "DELETED", &object);
                return Json(object).into_response();
            }
            (_, before) => {
                let mut object = before.unwrap_or_default();
                match is_status {
                    true => merge(&mut object, json!({"status": body["status"]})),
                    false => merge(&mut object, body),
                }
                object
            }
        };
        Json(self.store(&path, object)).into_response()
    }

    fn list(&self, path: &str, parameters: &Parameters) -> Response {
        let (resource, version) = (resource_of(path), self.version.to_string());
        let selector = parameters.get("labelSelector").cloned().unwrap_or_default();
        let ours = format!("{}={}", labels::MANAGED_BY, labels::DOCKET);
        if resource == "configmaps" && selector == ours {
            return self.page_of_noise(parameters);
        }
        let field = parameters.get("fieldSelector");
        let name = field.and_then(|field| field.strip_prefix("metadata.name="));
        let items: Vec<&Value> = self
            .objects
            .iter()
            .filter(|(path, _)| resource_of_object(path) == resource)
            .map(|(_, object)| object)
            .filter(|object| is_selected(object, &selector))
            .filter(|object| name.is_none_or(|name| object["metadata"]["name"] == name))
            .collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": version},
            "items": items});
        Json(list).into_response()
    }

    /// Made when it is asked for: nobody has them all.
    fn page_of_noise(&self, parameters: &Parameters) -> Response {
        let number = |name: &str| parameters.get(name).and_then(|it| it.parse::<usize>().ok());
        let from = number("continue").unwrap_or_default();
        let to = (from + number("limit").unwrap_or(NOISE)).min(NOISE);
        let items: Vec<Value> = (from..to).map(noise).collect();
        let next = (to < NOISE).then(|| to.to_string());
        let list = json!({"apiVersion": "v1", "kind": "ConfigMapList",
            "metadata": {"resourceVersion": self.version.to_string(), "continue": next}, "items": items});
        Json(list).into_response()
    }
}

/// A ConfigMap that says that it is ours, with text that cannot be packed.
fn noise(number: usize) -> Value {
    let mut state = u64::try_from(number).expect("few") * 2 + 1;
    let letters = (0..NOISE_BYTES).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'A' + u8::try_from((state >> 33) % 58).expect("less than 58"))
    });
    let text: String = letters.filter(|letter| *letter != '\\').collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("noise-{number}"), "namespace": "elsewhere", "uid": format!("noise-{number}"),
            "resourceVersion": "1", "labels": {labels::MANAGED_BY: labels::DOCKET}},
        "data": {"noise": text}})
}

fn is_selected(object: &Value, selector: &str) -> bool {
    let is_ours = object["metadata"]["labels"][labels::MANAGED_BY] == labels::DOCKET;
    match selector.contains(labels::MANAGED_BY) {
        true => is_ours != selector.contains("!="),
        false => true,
    }
}

/// The resource of a collection's path.
fn resource_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The resource of an object's path.
fn resource_of_object(path: &str) -> &str {
    path.rsplit('/').nth(1).unwrap_or_default()
}

async fn answer(
    State(known): State<Arc<Mutex<Known>>>,
    Query(parameters): Query<Parameters>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await;
    let body = serde_json::from_slice(&body.expect("a body")).unwrap_or(Value::Null);
    let path = parts.uri.path().to_owned();
    if parameters.get("watch").is_some_and(|it| it == "true") {
        return changes(&known, &path, &parameters);
    }
    let mut known = known.lock().expect("no panic");
    if parts.method != Method::GET {
        return known.write(&parts.method, &path, body);
    }
    if let Some(object) = known.objects.get(&path) {
        return Json(object).into_response();
    }
    // Neither a Gateway API nor a Prometheus operator.
    let is_lacking = ["gateway.", "monitoring."]
        .iter()
        .any(|part| path.contains(part));
    let kinds = [
        "configmaps",
        "deployments",
        "documenttenants",
        "horizontalpodautoscalers",
        "ingresses",
        "leases",
        "networkpolicies",
        "poddisruptionbudgets",
        "pods",
        "secrets",
        "serviceaccounts",
        "services",
    ];
    match kinds.contains(&resource_of(&path)) && !is_lacking {
        true => known.list(&path, &parameters),
        false => refusal(StatusCode::NOT_FOUND, "NotFound"),
    }
}

/// What happens to objects of a kind from now on.
fn changes(known: &Arc<Mutex<Known>>, path: &str, parameters: &Parameters) -> Response {
    let resource = resource_of(path).to_owned();
    let selector = parameters.get("labelSelector").cloned().unwrap_or_default();
    let (news, from) = {
        let known = known.lock().expect("no panic");
        let since = parameters
            .get("resourceVersion")
            .and_then(|it| it.parse().ok());
        // Each event has brought another version.
        let from = since.unwrap_or(known.version).min(known.version);
        (known.news.subscribe(), usize::try_from(from).expect("few"))
    };
    let state = (known.clone(), news, from);
    let lines = stream::unfold(state, move |(known, mut news, at)| {
        let (resource, selector) = (resource.clone(), selector.clone());
        async move {
            news.wait_for(|count| *count > at).await.ok()?;
            let new: Vec<(String, String)> = {
                let known = known.lock().expect("no panic");
                known.events[at..].to_vec()
            };
            let next = at + new.len();
            let lines = new.into_iter().filter(|(of, line)| {
                let event: Value = serde_json::from_str(line).expect("an event");
                *of == resource && is_selected(&event["object"], &selector)
            });
            let lines: String = lines.map(|(_, line)| line).collect();
            Some((Ok::<_, std::io::Error>(lines), (known, news, next)))
        }
    });
    Body::from_stream(lines.boxed()).into_response()
}

fn become_ready(deployment: &mut Value) {
    let replicas = deployment["spec"]["replicas"].clone();
    deployment["metadata"]["generation"] = 1.into();
    deployment["status"] = json!({"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
        "availableReplicas": replicas, "readyReplicas": replicas});
}

/// A JSON merge patch (RFC 7396), which is what applying comes to for one manager, but for what it takes out.
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

fn refusal(status: StatusCode, reason: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
        "message": reason, "code": status.as_u16()});
    (status, Json(body)).into_response()
}

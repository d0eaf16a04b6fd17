//! What a request to the API server is about, read from its method and path.

use http::{Method, StatusCode, Uri};
use serde_json::Value;

/// A request, as the proxy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Path and query as they go to the API server.
    pub path: String,
    /// Verb and resource, whatever the object.
    pub name: String,
    /// It writes something that must not be written in steady state: anything but a Lease.
    pub writes: bool,
    /// What it is called among the writes whose order counts: Events are told apart by nothing.
    pub counted: Option<String>,
    /// The resource that it watches.
    pub watched: Option<String>,
}

/// Resources that have no namespace; the operator reads them of the whole cluster.
const CLUSTER_WIDE: [&str; 3] = ["namespaces", "nodes", "customresourcedefinitions"];

impl Call {
    /// The request `method` of `uri` with `body`; a list of a whole cluster becomes one of `namespace`.
    pub fn of(method: &Method, uri: &Uri, body: &[u8], namespace: Option<&str>) -> Self {
        let query = uri.query().unwrap_or_default();
        let segments: Vec<&str> = uri.path().split('/').filter(|it| !it.is_empty()).collect();
        let (version, rest) = match segments.first() {
            Some(&"api") => segments.split_at(segments.len().min(2)),
            Some(&"apis") => segments.split_at(segments.len().min(3)),
            _ => (&segments[..], &[][..]),
        };
        let (inside, resource) = match rest {
            ["namespaces", inside, resource @ ..] if !resource.is_empty() => {
                (Some(*inside), resource)
            }
            resource => (None, resource),
        };
        let kind = resource.first().copied().unwrap_or_default();
        let everywhere = inside.is_none()
            && *method == Method::GET
            && resource.len() == 1
            && !CLUSTER_WIDE.contains(&kind);
        let inside = inside.or(namespace.filter(|_| everywhere));
        let mut path = format!("/{}", version.join("/"));
        if let Some(inside) = inside {
            path.push_str(&format!("/namespaces/{inside}"));
        }
        for segment in resource {
            path.push_str(&format!("/{segment}"));
        }
        if !query.is_empty() {
            path.push_str(&format!("?{query}"));
        }
        let mutates = *method != Method::GET && *method != Method::HEAD;
        let writes = mutates && kind != "leases";
        let counted = (writes && kind != "events").then(|| match (method, resource) {
            (&Method::POST, [kind]) => format!("{method} {kind}/{}", name_in(body)),
            _ => format!("{method} {}", resource.join("/")),
        });
        let watching = query
            .split('&')
            .any(|it| it == "watch=true" || it == "watch=1");
        let verb = match (mutates, watching, resource.len()) {
            (true, ..) => method.as_str(),
            (false, true, _) => "WATCH",
            (false, false, 1) => "LIST",
            (false, false, _) => "GET",
        };
        let name = match resource {
            [kind, _, subresource] => format!("{verb} {kind}/{subresource}"),
            _ => format!("{verb} {kind}"),
        };
        Self {
            path,
            name,
            writes,
            counted,
            watched: (!mutates && watching).then(|| kind.to_owned()),
        }
    }
}

/// The name of what a POST makes, which is in its body alone.
fn name_in(body: &[u8]) -> String {
    let object: Value = serde_json::from_slice(body).unwrap_or_default();
    let name = object["metadata"]["name"].as_str();
    name.unwrap_or_default().to_owned()
}

/// What an answered write made or ended, in words that a clean run and another have in common.
pub(super) fn committed(call: &str, status: StatusCode) -> Option<String> {
    if status == StatusCode::CREATED {
        let object = call.split_once(' ').map_or(call, |(_, object)| object);
        return Some(format!("created {object}"));
    }
    let deleted = call.strip_prefix("DELETE ").filter(|_| status.is_success());
    deleted.map(|object| format!("deleted {object}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: Method, uri: &str) -> Call {
        let body = br#"{"metadata": {"name": "a"}}"#;
        Call::of(&method, &uri.parse().expect("a URI"), body, Some("ns"))
    }

    #[test]
    fn a_list_of_the_cluster_becomes_one_of_the_namespace() {
        let list = call(
            Method::GET,
            "/api/v1/secrets?watch=true&labelSelector=a%3Db",
        );
        assert_eq!(
            list.path,
            "/api/v1/namespaces/ns/secrets?watch=true&labelSelector=a%3Db"
        );
        assert_eq!(list.watched.as_deref(), Some("secrets"));
        assert_eq!(list.name, "WATCH secrets");
        let list = call(Method::GET, "/apis/apps/v1/deployments?limit=1");
        assert_eq!(list.path, "/apis/apps/v1/namespaces/ns/deployments?limit=1");
        assert_eq!((list.watched, list.writes), (None, false));
        assert_eq!(list.name, "LIST deployments");
        assert_eq!(call(Method::GET, "/apis/apps/v1").path, "/apis/apps/v1");
        assert_eq!(call(Method::GET, "/version").path, "/version");
    }

    #[test]
    fn writes_are_named_and_leases_and_events_do_not_count() {
        let status =
            "/apis/docket.dev/v1alpha1/namespaces/x/documenttenants/acme/status?force=true";
        let patch = call(Method::PATCH, status);
        assert_eq!(patch.path, status);
        assert_eq!(patch.name, "PATCH documenttenants/status");
        assert_eq!(
            patch.counted.as_deref(),
            Some("PATCH documenttenants/acme/status")
        );
        let lease = "/apis/coordination.k8s.io/v1/namespaces/x/leases/docket-operator";
        assert!(!call(Method::PUT, lease).writes);
        let created = call(Method::POST, "/api/v1/namespaces/x/secrets?fieldManager=y");
        assert_eq!(created.name, "POST secrets");
        assert_eq!(created.counted.as_deref(), Some("POST secrets/a"));
        let event = call(Method::POST, "/apis/events.k8s.io/v1/namespaces/x/events");
        assert_eq!((event.writes, event.counted), (true, None));
    }

    #[test]
    fn what_creates_and_a_delete_are_commits() {
        let created = committed("POST secrets/a", StatusCode::CREATED);
        assert_eq!(created.as_deref(), Some("created secrets/a"));
        assert_eq!(committed("PATCH secrets/a", StatusCode::OK), None);
        let deleted = committed("DELETE deployments/a", StatusCode::OK);
        assert_eq!(deleted.as_deref(), Some("deleted deployments/a"));
        assert_eq!(committed("DELETE x/a", StatusCode::NOT_FOUND), None);
    }
}

//! As much of the Gateway API's HTTPRoute as a tenant's has. Its CRDs are not part of Kubernetes.

use kube::CustomResource;
use serde::{Deserialize, Serialize};

// Everything may be missing: what somebody else made of one must not stop the watch of all.
/// What an HTTPRoute asks for.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "HTTPRoute",
    plural = "httproutes",
    root = "HttpRoute",
    namespaced,
    schema = "disabled",
    derive = "PartialEq",
    doc = "HTTP requests that Gateways pass on."
)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpRouteSpec {
    /// Gateways.
    pub parent_refs: Vec<Parent>,
    /// Host names; those of the Gateways when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
    /// Which requests go where.
    pub rules: Vec<Rule>,
}

/// A Gateway, or one of its listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Parent {
    /// Name of the Gateway.
    pub name: String,
    /// Namespace of the Gateway; the route's own when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the listener; all when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
    /// Port of the listener; all when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
}

/// Where requests go that one of the matches fits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// The matches.
    pub matches: Vec<Match>,
    /// The Services.
    pub backend_refs: Vec<Backend>,
}

/// What fits a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Match {
    /// Its path.
    pub path: PathMatch,
}

/// What fits a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PathMatch {
    /// `Exact` or `PathPrefix`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The path.
    pub value: String,
}

/// A Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// One of its ports.
    pub port: i32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_route_that_somebody_else_changed_can_still_be_read() {
        let route: HttpRoute = serde_json::from_value(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "acme-api"},
            "spec": {"rules": [{"filters": [], "matches": [{"headers": []}, {}]}, {}]},
            "status": {"parents": []},
        }))
        .expect("a route");
        assert_eq!(route.spec.rules.len(), 2);
    }
}

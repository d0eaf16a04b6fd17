//! How callers outside the cluster reach the API.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{SecretReference, text};

/// A host name, perhaps with `*` for its first label.
const HOST: &str = "^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// An Ingress with the public paths of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ingress {
    /// Name of the IngressClass; the cluster's default by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')").message("the name of an IngressClass consists of lower-case letters, digits, '-' and '.', and starts and ends with a letter or digit"))]
    pub class_name: Option<String>,
    /// Host name that callers use.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(format!("self.matches('{HOST}')")).message("host must be a host name such as documents.example.com"))]
    pub host: String,
    /// Annotations of the Ingress, such as its controller reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 65536, "pattern": text::LINES}))]
    #[x_kube(validation = Rule::new(format!("self.all(key, size(key) <= 317 && key.matches('{}'))", text::ANNOTATION_KEY)).message("an annotation's key consists of letters, digits, '-', '_' and '.', perhaps with a domain and '/' before them"))]
    pub annotations: BTreeMap<String, String>,
    /// Secret with the certificate of the host; it need not exist yet. Plain HTTP by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_secret_ref: Option<SecretReference>,
}

impl Ingress {
    /// Where annotations are in a tenant, whose text alone may have several lines.
    pub const ANNOTATIONS_PATH: &str = "spec.api.ingress.annotations.";
}

/// An HTTPRoute of the Gateway API with the public paths of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpRoute {
    /// Gateways that the route attaches to.
    #[schemars(length(min = 1, max = 8))]
    pub parent_refs: Vec<ParentReference>,
    /// Host names that callers use; those of the Gateways by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)))]
    #[x_kube(validation = Rule::new(format!("self.all(host, host.matches('{HOST}'))")).message("a hostname must be a host name such as documents.example.com"))]
    pub hostnames: Vec<String>,
}

/// A Gateway, or one of its listeners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentReference {
    /// Name of the Gateway.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::DNS_NAME)).message("the name of a Gateway consists of lower-case letters, digits, '-' and '.'"))]
    pub name: String,
    /// Namespace of the Gateway; the tenant's by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::DNS_NAME)).message("the name of a namespace consists of lower-case letters, digits and '-'"))]
    pub namespace: Option<String>,
    /// Name of the listener; all by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::DNS_NAME)).message("the name of a listener consists of lower-case letters, digits, '-' and '.'"))]
    pub section_name: Option<String>,
    /// Port of the listener; all by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
}

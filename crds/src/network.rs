//! From where the API may be reached, inside the cluster's network.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::text;

/// From where the API may be reached, where the cluster enforces NetworkPolicies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Who may connect to the API's port, and nobody else. By default the pods of the tenant's own
    /// namespace, and with `ingress` or `httpRoute` the gateways that the operator was told of, or
    /// everybody where it was told of none.
    #[schemars(length(min = 1, max = 16))]
    pub from: Vec<NetworkPeer>,
}

/// Pods, or addresses outside the cluster, in the words of a NetworkPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.ipBlock) != (has(self.namespaceSelector) || has(self.podSelector))").message("a peer names ipBlock, or namespaceSelector, podSelector or both"))]
pub struct NetworkPeer {
    /// Namespaces by their labels, such as `kubernetes.io/metadata.name`; `{}` is all of them, and
    /// without it the tenant's own is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<NetworkSelector>,
    /// Pods by their labels; all of the namespaces by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<NetworkSelector>,
    /// Addresses outside the cluster, such as those of load balancers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_block: Option<IpBlock>,
}

/// What is meant by its labels; all, where none is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkSelector {
    /// The labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16, "additionalProperties" = {"type": "string", "maxLength": 63, "pattern": text::LABEL_VALUE}))]
    #[x_kube(validation = Rule::new(format!("self.all(key, size(key) <= 317 && key.matches('{}'))", text::LABEL_KEY)).message("a label's key consists of letters, digits, '-', '_' and '.', perhaps with a domain and '/' before them"))]
    pub match_labels: BTreeMap<String, String>,
}

/// Addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct IpBlock {
    /// The addresses, for example `10.0.0.0/8`.
    #[schemars(length(min = 1, max = 49))]
    #[x_kube(validation = Rule::new("isCIDR(self)").message("cidr must be a range of addresses such as 10.0.0.0/8"))]
    pub cidr: String,
}

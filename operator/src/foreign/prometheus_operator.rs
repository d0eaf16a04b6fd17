//! As much of the Prometheus operator's kinds as a tenant's have. Its CRDs are not part of Kubernetes.

use kube::CustomResource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

// Lists are kept as JSON: what somebody else made of one must not stop the watch of all.
/// What Prometheus evaluates.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "monitoring.coreos.com",
    version = "v1",
    kind = "PrometheusRule",
    plural = "prometheusrules",
    namespaced,
    schema = "disabled",
    derive = "PartialEq",
    doc = "Rules for the Prometheuses that the Prometheus operator runs."
)]
#[serde(default)]
pub struct PrometheusRuleSpec {
    /// Each as in a rules file.
    pub groups: Vec<Value>,
}

/// Which pods Prometheus scrapes, and how.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "monitoring.coreos.com",
    version = "v1",
    kind = "PodMonitor",
    plural = "podmonitors",
    namespaced,
    schema = "disabled",
    derive = "PartialEq",
    doc = "Pods that the Prometheuses of the Prometheus operator scrape."
)]
#[serde(rename_all = "camelCase", default)]
pub struct PodMonitorSpec {
    /// Which pods, of its own namespace.
    pub selector: Value,
    /// Which of their ports.
    pub pod_metrics_endpoints: Vec<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_that_somebody_else_changed_can_still_be_read() {
        let object = json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "acme-api"},
            "spec": {"groups": [{"name": "a", "limit": 1, "rules": [{"alert": "b", "expr": 1}]}, {}]},
        });
        let rule: PrometheusRule = serde_json::from_value(object).expect("a PrometheusRule");
        assert_eq!(rule.spec.groups.len(), 2);
    }
}

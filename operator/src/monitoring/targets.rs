//! What a Prometheus has to scrape, in the format of its HTTP service discovery: it needs no rights in
//! the cluster for it, and no build that knows Kubernetes.

use std::collections::BTreeMap;

use docket_contract::OPERATIONS_PORT;
use docket_crds::names::COLLECTOR_CONTAINER;
use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

use crate::build::COLLECTOR_METRICS_PORT;
use crate::cache::pods::Pods;

/// Where the metrics of a pod are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Of the API: address and port.
    api: String,
    /// The same of the collector beside it.
    collector: String,
}

impl Endpoint {
    /// That of a pod that runs.
    pub(crate) fn of(pod: &Pod) -> Option<Self> {
        let status = pod.status.as_ref()?;
        if status.phase.as_deref() != Some("Running") {
            return None;
        }
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
        ports.find(|port| port.container_port == i32::from(OPERATIONS_PORT))?;
        let host = match status.pod_ip.as_deref()? {
            v6 if v6.contains(':') => format!("[{v6}]"),
            v4 => v4.to_owned(),
        };
        Some(Self {
            api: format!("{host}:{OPERATIONS_PORT}"),
            collector: format!("{host}:{COLLECTOR_METRICS_PORT}"),
        })
    }
}

/// One container of a pod, as `<http_sd_config>` reads it:
/// `{"targets": ["10.0.0.7:8002"], "labels": {"namespace": …, "docket_tenant": …, "pod": …, "__scheme__": "http"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// One address with its port.
    targets: [String; 1],
    /// What the series of the pod are told apart by; objectives need the first two. Those of a collector
    /// have `container`, too.
    labels: BTreeMap<&'static str, String>,
}

/// The pods of all tenants that run: for each its API and its collector.
#[must_use]
pub fn targets(pods: &Pods) -> Vec<Target> {
    let targets = |((namespace, tenant), pod, endpoint): ((String, String), String, Endpoint)| {
        let labels: BTreeMap<_, _> = [
            ("namespace", namespace),
            ("docket_tenant", tenant),
            ("pod", pod),
        ]
        .into();
        let with = |address, more: &[(&'static str, &str)]| {
            let more = more.iter().map(|(key, value)| (*key, (*value).to_owned()));
            Target {
                targets: [address],
                labels: labels.clone().into_iter().chain(more).collect(),
            }
        };
        [
            with(endpoint.api, &[("__scheme__", "http")]),
            with(
                endpoint.collector,
                &[("__scheme__", "http"), ("container", COLLECTOR_CONTAINER)],
            ),
        ]
    };
    pods.endpoints().into_iter().flat_map(targets).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_crds::labels;
    use kube::runtime::watcher::Event;
    use serde_json::{Value, json};

    fn pod(name: &str, phase: &str, address: Option<&str>) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "team", "labels": {labels::TENANT: "acme"}},
            "spec": {"containers": [{"name": "api", "ports": [
                {"name": "https", "containerPort": 8000}, {"name": "operations", "containerPort": 8002}]}]},
            "status": {"phase": phase, "podIP": address},
        }))
        .expect("a pod")
    }

    #[test]
    fn pods_that_run_are_targets_in_the_words_of_http_service_discovery() {
        let pods = Pods::default();
        for pod in [
            pod("b", "Running", Some("fd00::7")),
            pod("a", "Running", Some("10.0.0.7")),
            pod("c", "Pending", Some("10.0.0.8")),
            pod("d", "Succeeded", Some("10.0.0.9")),
            pod("e", "Running", None),
        ] {
            pods.take(&Event::Apply(pod));
        }
        let api = |address: &str, pod: &str| -> Value {
            json!({"targets": [address], "labels": {"namespace": "team", "docket_tenant": "acme",
                "pod": pod, "__scheme__": "http"}})
        };
        let collector = |address: &str, pod: &str| -> Value {
            json!({"targets": [address], "labels": {"namespace": "team", "docket_tenant": "acme",
                "pod": pod, "__scheme__": "http", "container": "collector"}})
        };
        assert_eq!(
            serde_json::to_value(targets(&pods)).expect("JSON"),
            json!([
                api("10.0.0.7:8002", "a"),
                collector("10.0.0.7:8888", "a"),
                api("[fd00::7]:8002", "b"),
                collector("[fd00::7]:8888", "b"),
            ]),
        );
    }
}

//! What a Prometheus has to scrape, in the format of its HTTP service discovery: it needs no rights in
//! the cluster for it, and no build that knows Kubernetes.

use std::collections::BTreeMap;

use docket_contract::DOCUMENT_API_PORT;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use serde::Serialize;

use crate::build::{TENANT_LABEL, api_name};
use crate::stores::Stores;

/// One pod, as `<http_sd_config>` reads it:
/// `{"targets": ["10.0.0.7:8000"], "labels": {"namespace": …, "docket_tenant": …, "pod": …, "__scheme__": "http"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// One address with its port.
    targets: [String; 1],
    /// What the series of the pod are told apart by; objectives need the first two.
    labels: BTreeMap<&'static str, String>,
}

/// The pods of all tenants that have an address, in the order of their names.
#[must_use]
pub fn targets(stores: &Stores) -> Vec<Target> {
    let mut targets: Vec<Target> = stores
        .pods
        .state()
        .iter()
        .filter_map(|pod| {
            let name = ObjectRef::new(&api_name(pod.labels().get(TENANT_LABEL)?))
                .within(&pod.namespace()?);
            let deployment = stores.deployments.get(&name)?;
            target(pod, &deployment)
        })
        .collect();
    targets.sort_by(|a, b| a.labels.cmp(&b.labels));
    targets
}

fn target(pod: &Pod, deployment: &Deployment) -> Option<Target> {
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() != Some("Running") {
        return None;
    }
    let address = match status.pod_ip.as_deref()? {
        v6 if v6.contains(':') => format!("[{v6}]:{DOCUMENT_API_PORT}"),
        v4 => format!("{v4}:{DOCUMENT_API_PORT}"),
    };
    let labels = [
        ("namespace", pod.namespace()?),
        ("docket_tenant", pod.labels().get(TENANT_LABEL)?.clone()),
        ("pod", pod.name_any()),
        ("__scheme__", scheme(deployment)?),
    ];
    Some(Target {
        targets: [address],
        labels: labels.into(),
    })
}

/// The name of the document API's port says how it is spoken to.
fn scheme(deployment: &Deployment) -> Option<String> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    let ports = pod
        .containers
        .iter()
        .flat_map(|it| it.ports.iter().flatten());
    let port = ports
        .into_iter()
        .find(|port| port.container_port == i32::from(DOCUMENT_API_PORT));
    port?.name.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn found(pod: Value, port: &str) -> Option<Target> {
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": {}, "spec": {"selector": {}, "template": {"spec": {"containers": [
                {"name": "api", "ports": [{"name": port, "containerPort": 8000}]}]}}},
        }))
        .expect("a Deployment");
        target(&pod, &deployment)
    }

    fn pod(phase: &str, address: Option<&str>) -> Value {
        json!({
            "metadata": {"name": "acme-api-1", "namespace": "team", "labels": {TENANT_LABEL: "acme"}},
            "status": {"phase": phase, "podIP": address},
        })
    }

    #[test]
    fn a_pod_is_a_target_in_the_words_of_http_service_discovery() {
        let target = found(pod("Running", Some("10.0.0.7")), "https");
        assert_eq!(
            serde_json::to_value(target).expect("JSON"),
            json!({"targets": ["10.0.0.7:8000"], "labels": {"namespace": "team",
                "docket_tenant": "acme", "pod": "acme-api-1", "__scheme__": "https"}}),
        );
        let target = found(pod("Running", Some("fd00::7")), "http").expect("a target");
        assert_eq!(target.targets, ["[fd00::7]:8000"]);
    }

    #[test]
    fn a_pod_that_does_not_run_or_has_no_address_is_none() {
        assert_eq!(found(pod("Pending", Some("10.0.0.7")), "http"), None);
        assert_eq!(found(pod("Succeeded", Some("10.0.0.7")), "http"), None);
        assert_eq!(found(pod("Running", None), "http"), None);
    }
}

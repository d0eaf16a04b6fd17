//! The PodMonitor: how a Prometheus scrapes a component's pods, with the labels that rules tell them by.

use docket_crds::labels;
use serde_json::json;

use super::component::Component;
use super::deployment::COLLECTOR_METRICS;
use super::metadata::{component_metadata, for_prometheus, selector};
use crate::foreign::prometheus_operator::{PodMonitor, PodMonitorSpec};
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(wanted: &ValidatedTenant, component: &Component) -> Option<PodMonitor> {
    if !wanted.monitoring.pod_monitors {
        return None;
    }
    let label = labels::TENANT.replace(['.', '/'], "_");
    let endpoint = |port: &str, scheme: &str| {
        json!({
            "port": port,
            "scheme": scheme,
            "path": "/metrics",
            // The namespace, the pod and the container are labels already.
            "relabelings": [{
                "sourceLabels": [format!("__meta_kubernetes_pod_label_{label}")],
                "targetLabel": "docket_tenant",
            }],
        })
    };
    let measured = component.ports.iter().filter(|port| port.has_metrics);
    let measured = measured.map(|port| endpoint(port.name, port.scheme));
    let endpoints = measured.chain([endpoint(COLLECTOR_METRICS, "http")]);
    Some(PodMonitor {
        metadata: for_prometheus(wanted, component_metadata(wanted, component.name)),
        spec: PodMonitorSpec {
            selector: json!({"matchLabels": selector(wanted, component.name)}),
            pod_metrics_endpoints: endpoints.collect(),
        },
    })
}

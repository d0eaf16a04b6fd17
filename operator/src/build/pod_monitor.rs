//! The PodMonitor: how a Prometheus scrapes the tenant's pods, with the labels that rules tell them by.

use docket_crds::labels;
use serde_json::json;

use super::deployment::COLLECTOR_METRICS;
use super::metadata::{api_metadata, for_prometheus, selector};
use super::service;
use crate::foreign::prometheus_operator::{PodMonitor, PodMonitorSpec};
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(wanted: &ValidatedTenant) -> Option<PodMonitor> {
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
    let scheme = service::scheme(wanted);
    let mut api = endpoint(scheme, scheme);
    if wanted.tls.is_some() {
        // A certificate is for the callers' names, not for the addresses of pods.
        api["tlsConfig"] = json!({"insecureSkipVerify": true});
    }
    Some(PodMonitor {
        metadata: for_prometheus(wanted, api_metadata(wanted)),
        spec: PodMonitorSpec {
            selector: json!({"matchLabels": selector(wanted)}),
            pod_metrics_endpoints: vec![api, endpoint(COLLECTOR_METRICS, "http")],
        },
    })
}

//! The ConfigMap of the collector beside each API container.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::metadata::metadata;
use super::redaction;
use crate::wanted::Wanted;

/// Key of the ConfigMap, and name of the mounted file.
pub(super) const FILE: &str = "config.yaml";

/// Port of the collector's health check.
pub(super) const HEALTH_PORT: u16 = 13133;

/// Port on which the API container's telemetry is received, on the loopback interface only.
pub(super) const OTLP_PORT: u16 = 4317;

pub(super) fn name(tenant: &str) -> String {
    format!("{tenant}-collector")
}

pub(super) fn build(wanted: &Wanted) -> ConfigMap {
    let yaml = serde_yaml::to_string(&config(wanted)).expect("maps, strings and numbers serialize");
    ConfigMap {
        metadata: metadata(wanted, name(&wanted.name)),
        data: Some([(FILE.to_owned(), yaml)].into()),
        ..ConfigMap::default()
    }
}

fn config(wanted: &Wanted) -> Value {
    let (exporter, exporter_config) = exporter(wanted.telemetry_endpoint.as_deref());
    let pipeline = |redaction: &[&str]| {
        let processors = [&["memory_limiter"], redaction, &["resource", "batch"]].concat();
        json!({"receivers": ["otlp"], "processors": processors, "exporters": [exporter]})
    };
    json!({
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": format!("127.0.0.1:{OTLP_PORT}")}}}},
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
            "redaction": redaction::of_values(),
            "transform/redaction": redaction::of_spans(),
            "resource": {"attributes": [
                {"key": "docket.tenant", "value": wanted.name, "action": "upsert"},
                {"key": "k8s.namespace.name", "value": wanted.namespace, "action": "upsert"},
                {"key": "k8s.pod.name", "value": "${env:POD_NAME}", "action": "upsert"},
            ]},
            "batch": {"timeout": "200ms", "send_batch_size": 1024, "send_batch_max_size": 4096},
        },
        "exporters": {exporter: exporter_config},
        "extensions": {"health_check": {"endpoint": format!("0.0.0.0:{HEALTH_PORT}")}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": pipeline(&redaction::OF_TRACES),
                "metrics": pipeline(&redaction::OF_OTHERS),
                "logs": pipeline(&redaction::OF_OTHERS),
            },
            "telemetry": {"metrics": {"level": "none"}, "logs": {"encoding": "json"}},
        },
    })
}

/// Without an endpoint the collector says in its log what it received.
fn exporter(endpoint: Option<&str>) -> (&'static str, Value) {
    match endpoint {
        None => ("debug", json!({"verbosity": "basic"})),
        Some(endpoint) => (
            "otlp_grpc",
            json!({
                "endpoint": endpoint,
                "tls": {"insecure": endpoint.starts_with("http://")},
                "sending_queue": {"enabled": true, "queue_size": 2000},
                "retry_on_failure": {"enabled": true, "max_elapsed_time": "300s"},
            }),
        ),
    }
}

//! The ConfigMap of the collector beside each API container.

use docket_crds::names::collector_config_map;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::metadata::metadata;
use super::redaction;
use crate::validated_tenant::{Telemetry, ValidatedTenant};

/// Key of the ConfigMap, and name of the mounted file.
pub(super) const FILE: &str = "config.yaml";

/// Port of the collector's health check.
pub(super) const HEALTH_PORT: u16 = 13133;

/// Port of the collector's own metrics, at `/metrics`.
pub(crate) const METRICS_PORT: u16 = 8888;

/// Folder of what waits to be sent.
pub(super) const QUEUE_FOLDER: &str = "/var/lib/otelcol";

/// Bytes of one signal (traces, metrics, logs) that may wait to be sent; what comes on top is dropped.
const QUEUE_BYTES: u64 = 64 * 1024 * 1024;

/// Largest file of a signal that waits: room for what the file needs beside its content.
const QUEUE_FILE_BYTES: u64 = 2 * QUEUE_BYTES;

/// Size of the folder. Beyond it the kubelet ends the whole pod, so the files never come near.
pub(super) const QUEUE_FOLDER_SIZE: &str = "1Gi";

/// Name of the exporter to an endpoint.
pub(super) const OTLP_EXPORTER: &str = "otlp_grpc";

/// Port on which the API container's telemetry is received, on the loopback interface only.
pub(super) const OTLP_PORT: u16 = 4317;

pub(super) fn build(wanted: &ValidatedTenant) -> ConfigMap {
    let yaml = serde_yaml::to_string(&config(wanted)).expect("maps, strings and numbers serialize");
    ConfigMap {
        metadata: metadata(wanted, collector_config_map(&wanted.name)),
        data: Some([(FILE.to_owned(), yaml)].into()),
        ..ConfigMap::default()
    }
}

/// All of it but what is in [`super::collector_secrets`].
pub(super) fn config(wanted: &ValidatedTenant) -> Value {
    let telemetry = &wanted.telemetry;
    let (exporter, exporter_config) = exporter(telemetry);
    let pipeline = |redaction: Vec<&str>| {
        let processors = [&["memory_limiter"], &*redaction, &["resource", "batch"]].concat();
        json!({"receivers": ["otlp"], "processors": processors, "exporters": [exporter]})
    };
    let own = &*telemetry.redacted;
    let mut processors = json!({
        "memory_limiter": {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
        "redaction": redaction::of_values(),
        "transform/redaction": redaction::of_spans(own),
        "resource": {"attributes": [
            {"key": "docket.tenant", "value": wanted.name, "action": "upsert"},
            {"key": "k8s.namespace.name", "value": wanted.namespace, "action": "upsert"},
            {"key": "k8s.pod.name", "value": "${env:POD_NAME}", "action": "upsert"},
        ]},
        "batch": {"timeout": "200ms", "send_batch_size": 1024, "send_batch_max_size": 4096},
    });
    if !own.is_empty() {
        processors["redaction/own"] = redaction::of_own_values(own);
    }
    json!({
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": format!("127.0.0.1:{OTLP_PORT}")}}}},
        "processors": processors,
        "exporters": {exporter: exporter_config},
        "extensions": {
            "health_check": {"endpoint": format!("0.0.0.0:{HEALTH_PORT}")},
            // A file that a crash left unreadable is put aside.
            "file_storage": {"directory": QUEUE_FOLDER, "max_size": QUEUE_FILE_BYTES, "recreate": true},
        },
        "service": {
            "extensions": ["health_check", "file_storage"],
            "pipelines": {
                "traces": pipeline(redaction::of_traces(own)),
                "metrics": pipeline(redaction::of_others(own)),
                "logs": pipeline(redaction::of_others(own)),
            },
            "telemetry": {
                "metrics": {"level": "basic", "readers": [
                    {"pull": {"exporter": {"prometheus": {"host": "0.0.0.0", "port": METRICS_PORT}}}},
                ]},
                "logs": {"encoding": "json"},
            },
        },
    })
}

/// Without an endpoint the collector says in its log what it received.
fn exporter(telemetry: &Telemetry) -> (&'static str, Value) {
    let Some(endpoint) = &telemetry.endpoint else {
        return ("debug", json!({"verbosity": "basic"}));
    };
    let mut tls = json!({"insecure": endpoint.starts_with("http://")});
    if let Some(authorities) = &telemetry.authorities {
        tls["ca_pem"] = literal(authorities).into();
    }
    if let Some(name) = &telemetry.server_name {
        tls["server_name_override"] = name.as_str().into();
    }
    let config = json!({
        "endpoint": literal(endpoint),
        "tls": tls,
        "timeout": "10s",
        "sending_queue": {
            "enabled": true, "storage": "file_storage", "sizer": "bytes", "queue_size": QUEUE_BYTES,
        },
        // Without an end: what waits is bounded by the queue alone.
        "retry_on_failure": {
            "enabled": true, "initial_interval": "1s", "max_interval": "10s", "max_elapsed_time": "0s",
        },
    });
    (OTLP_EXPORTER, config)
}

/// A text that the collector takes as it is: a dollar begins a reference in its files.
pub(super) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

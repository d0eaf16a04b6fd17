//! The component `api`: what answers the clients.

use docket_contract::{API_PORT, DATA_STORE_PORT, OPERATIONS_PORT, service_name};
use docket_crds::labels;
use docket_crds::names::API_CONTAINER;
use k8s_openapi::api::core::v1::{Container, EnvVar, Probe};

use super::component::{Component, Port};
use super::container::{
    env, env_from_field, env_from_resource, env_from_secret, http_get, read_only, read_write,
    resources,
};
use super::{collector_config, service};
use crate::validated_tenant::ValidatedTenant;

/// Milliseconds between two exports of metrics: a dashboard of minutes is never a minute behind.
const METRIC_INTERVAL: &str = "15000";

pub(super) fn component(wanted: &ValidatedTenant) -> Component {
    let scheme = service::scheme(wanted);
    Component {
        name: labels::API,
        container: container(wanted),
        ports: vec![
            Port {
                name: scheme,
                number: API_PORT,
                of_service: Some(service::public_port(wanted)),
                scheme,
                is_open: true,
                has_metrics: false,
            },
            Port {
                name: "data-store",
                number: DATA_STORE_PORT,
                of_service: Some(DATA_STORE_PORT.into()),
                scheme,
                is_open: false,
                has_metrics: false,
            },
            Port {
                name: "operations",
                number: OPERATIONS_PORT,
                of_service: None,
                scheme: "http",
                is_open: false,
                has_metrics: true,
            },
        ],
        replicas: wanted.replicas,
        autoscaling: wanted.autoscaling.clone(),
    }
}

fn container(wanted: &ValidatedTenant) -> Container {
    // No caller's load keeps this port from the kubelet.
    let api_get = |path| http_get(path, OPERATIONS_PORT);
    Container {
        name: API_CONTAINER.into(),
        image: Some(wanted.api_image.clone()),
        env: Some(env_of(wanted)),
        volume_mounts: Some(vec![
            read_only("config", "/etc/docket"),
            read_write("tmp", "/tmp"),
        ]),
        startup_probe: Some(Probe {
            period_seconds: Some(1),
            failure_threshold: Some(60),
            ..api_get("/livez")
        }),
        readiness_probe: Some(Probe {
            period_seconds: Some(2),
            timeout_seconds: Some(3),
            failure_threshold: Some(2),
            ..api_get("/readyz")
        }),
        liveness_probe: Some(Probe {
            period_seconds: Some(10),
            timeout_seconds: Some(3),
            failure_threshold: Some(3),
            ..api_get("/livez")
        }),
        resources: Some(resources(&wanted.api_resources)),
        ..Container::default()
    }
}

fn env_of(wanted: &ValidatedTenant) -> Vec<EnvVar> {
    let mut variables = vec![env_from_field("POD_NAME", "metadata.name")];
    let of_secrets = wanted.workloads.variables();
    variables.extend(of_secrets.map(|(name, secret)| env_from_secret(name, secret)));
    variables.extend([
        env("OTEL_SERVICE_NAME", service_name(wanted.workloads.names())),
        env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://127.0.0.1:{}", collector_config::OTLP_PORT),
        ),
        env("OTEL_METRIC_EXPORT_INTERVAL", METRIC_INTERVAL),
        env(
            "OTEL_RESOURCE_ATTRIBUTES",
            format!(
                "service.namespace={},service.instance.id=$(POD_NAME)",
                wanted.namespace
            ),
        ),
    ]);
    if let Some(ratio) = &wanted.telemetry.sampling_ratio {
        variables.push(env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"));
        variables.push(env("OTEL_TRACES_SAMPLER_ARG", ratio));
    }
    let limits = wanted.api_resources.limits.as_ref();
    // Where there is none, Kubernetes would name the memory of the whole node.
    if limits.is_some_and(|limits| limits.memory.is_some()) {
        variables.push(env_from_resource("DOCKET_MEMORY", "limits.memory"));
    }
    variables
}

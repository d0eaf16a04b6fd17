//! The Deployment of a component: its containers, each with its collector as a native sidecar.

use docket_contract::{CONFIG_FILE, LIMITS_FILE, REPLICAS_FILE, SIGNING_KEYS_FILE};
use docket_crds::annotations::CONFIG_HASH;
use docket_crds::names::{COLLECTOR_CONTAINER, api_name, collector_config_map};
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, KeyToPath,
    PodSecurityContext, PodSpec, PodTemplateSpec, Probe, SeccompProfile, SecretVolumeSource,
    Volume,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sha2::{Digest, Sha256};

use super::component::Component;
use super::container::{
    env_from_field, http_get, read_only, read_write, resources, security_context,
};
use super::metadata::{component_labels, component_metadata, selector};
use super::{api_config, collector_config, collector_secrets, scheduling};
use crate::validated_tenant::ValidatedTenant;

/// Name of the port with its own metrics.
pub(super) const COLLECTOR_METRICS: &str = "otelcol-metrics";

/// Seconds in which a pod that goes away finishes its requests.
const GRACE: i64 = 30;

/// Folders of the collector's two files.
const CONFIG_FOLDER: &str = "/etc/otelcol";
const SECRETS_FOLDER: &str = "/etc/otelcol-secrets";

/// Any user but root; the images carry no user database.
const USER: i64 = 65532;

pub(super) fn build(
    wanted: &ValidatedTenant,
    component: &Component,
    collector: &ConfigMap,
) -> Deployment {
    Deployment {
        metadata: component_metadata(wanted, component.name),
        spec: Some(DeploymentSpec {
            // An autoscaler's number is not ours to name.
            replicas: component
                .autoscaling
                .is_none()
                .then_some(component.replicas),
            selector: LabelSelector {
                match_labels: Some(selector(wanted, component.name)),
                ..LabelSelector::default()
            },
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".into()),
                rolling_update: Some(RollingUpdateDeployment {
                    // A new pod must serve before an old one goes: a bad change costs nothing.
                    max_unavailable: Some(IntOrString::Int(0)),
                    max_surge: Some(IntOrString::Int(1)),
                }),
            }),
            revision_history_limit: Some(2),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(component_labels(wanted, component.name)),
                    annotations: Some(
                        [(CONFIG_HASH.to_owned(), config_hash(wanted, collector))].into(),
                    ),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(wanted, component)),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn config_hash(wanted: &ValidatedTenant, collector: &ConfigMap) -> String {
    let mut hash = Sha256::new();
    hash.update(api_config::read_at_start(wanted));
    hash.update(collector_secrets::file(&wanted.telemetry).unwrap_or_default());
    for (name, text) in collector.data.iter().flatten() {
        hash.update(name);
        hash.update(text);
    }
    for secret in wanted.workloads.secret_hashes() {
        hash.update(secret);
    }
    hex::encode(hash.finalize())[..16].to_owned()
}

fn pod(wanted: &ValidatedTenant, component: &Component) -> PodSpec {
    PodSpec {
        service_account_name: Some(api_name(&wanted.name)),
        automount_service_account_token: Some(false),
        // Service links would put every Service of the namespace into the environment.
        enable_service_links: Some(false),
        termination_grace_period_seconds: Some(GRACE),
        node_selector: scheduling::node_selector(wanted),
        tolerations: scheduling::tolerations(wanted),
        affinity: scheduling::affinity(wanted),
        topology_spread_constraints: Some(scheduling::spread(wanted, component.name)),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(USER),
            run_as_group: Some(USER),
            fs_group: Some(USER),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".into(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        init_containers: Some(vec![collector_container(wanted)]),
        containers: vec![container(component)],
        volumes: Some(volumes(wanted)),
        ..PodSpec::default()
    }
}

fn volumes(wanted: &ValidatedTenant) -> Vec<Volume> {
    let empty = |name: &str, size: Option<&str>| Volume {
        name: name.into(),
        empty_dir: Some(EmptyDirVolumeSource {
            size_limit: size.map(|size| Quantity(size.into())),
            ..EmptyDirVolumeSource::default()
        }),
        ..Volume::default()
    };
    let mut of_api = vec![CONFIG_FILE, LIMITS_FILE, REPLICAS_FILE];
    of_api.extend(wanted.issuer.as_ref().map(|_| SIGNING_KEYS_FILE));
    let mut volumes = vec![
        of_config("config", wanted, &of_api),
        Volume {
            name: COLLECTOR_CONTAINER.into(),
            config_map: Some(ConfigMapVolumeSource {
                name: collector_config_map(&wanted.name),
                default_mode: Some(0o440),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        empty("tmp", None),
        empty("queue", Some(collector_config::QUEUE_FOLDER_SIZE)),
    ];
    if collector_secrets::file(&wanted.telemetry).is_some() {
        volumes.push(of_config(
            "collector-secrets",
            wanted,
            &[collector_secrets::FILE],
        ));
    }
    volumes
}

/// Some entries of the Secret that configures the pods: no container sees those of the other.
fn of_config(volume: &str, wanted: &ValidatedTenant, entries: &[&str]) -> Volume {
    let item = |entry: &&str| KeyToPath {
        key: (*entry).to_owned(),
        path: (*entry).to_owned(),
        mode: None,
    };
    Volume {
        name: volume.into(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(api_name(&wanted.name)),
            default_mode: Some(0o440),
            items: Some(entries.iter().map(item).collect()),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn container(component: &Component) -> Container {
    let ports = component.ports.iter().map(|it| port(it.name, it.number));
    Container {
        ports: Some(ports.collect()),
        security_context: Some(security_context()),
        ..component.container.clone()
    }
}

fn collector_container(wanted: &ValidatedTenant) -> Container {
    let mut args = vec![format!(
        "--config={CONFIG_FOLDER}/{}",
        collector_config::FILE
    )];
    let mut mounts = vec![
        read_only(COLLECTOR_CONTAINER, CONFIG_FOLDER),
        read_write("queue", collector_config::QUEUE_FOLDER),
    ];
    if collector_secrets::file(&wanted.telemetry).is_some() {
        args.push(format!(
            "--config={SECRETS_FOLDER}/{}",
            collector_secrets::FILE
        ));
        mounts.push(read_only("collector-secrets", SECRETS_FOLDER));
    }
    Container {
        name: COLLECTOR_CONTAINER.into(),
        image: Some(wanted.collector_image.clone()),
        args: Some(args),
        // A native sidecar: started before the API container, stopped after it.
        restart_policy: Some("Always".into()),
        env: Some(vec![env_from_field("POD_NAME", "metadata.name")]),
        ports: Some(vec![
            port("health", collector_config::HEALTH_PORT),
            port(COLLECTOR_METRICS, collector_config::METRICS_PORT),
        ]),
        volume_mounts: Some(mounts),
        // Its last words, where it ends by itself, are on the pod's status.
        termination_message_policy: Some("FallbackToLogsOnError".into()),
        startup_probe: Some(Probe {
            period_seconds: Some(1),
            failure_threshold: Some(60),
            ..http_get("/", collector_config::HEALTH_PORT)
        }),
        liveness_probe: Some(Probe {
            period_seconds: Some(10),
            timeout_seconds: Some(3),
            failure_threshold: Some(3),
            ..http_get("/", collector_config::HEALTH_PORT)
        }),
        resources: Some(resources(&wanted.collector_resources)),
        security_context: Some(security_context()),
        ..Container::default()
    }
}

fn port(name: &str, number: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: number.into(),
        protocol: Some("TCP".into()),
        ..ContainerPort::default()
    }
}

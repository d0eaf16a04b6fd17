//! Every child of a tenant, made from [`ValidatedTenant`] alone: one file a child, no client in sight.

mod api;
mod api_config;
mod api_keys;
mod client_secret;
mod collector_config;
mod collector_secrets;
mod component;
mod container;
mod credentials;
mod deployment;
mod each_child;
mod horizontal_pod_autoscaler;
mod http_route;
mod ingress;
mod metadata;
mod network_policy;
mod pod_disruption_budget;
mod pod_monitor;
mod prometheus_rule;
mod public_path;
mod redaction;
mod scheduling;
mod service;
mod service_account;
mod signing_keys;

use std::collections::BTreeMap;

use docket_crds::names::component_name;
use docket_objectives::Links;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;

pub(crate) use collector_config::METRICS_PORT as COLLECTOR_METRICS_PORT;
pub(crate) use component::{COMPONENTS, Component, components};
pub(crate) use each_child::{DesiredChild, EachChild};

use crate::allowed::Allowed;
use crate::foreign::gateway_api::HttpRoute;
use crate::foreign::prometheus_operator::{PodMonitor, PrometheusRule};
use crate::network::ClusterNetwork;
use crate::validated_tenant::ValidatedTenant;

/// What tenants get that name nothing else.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// Image of the API server.
    pub api: String,
    /// Image of the collector.
    pub collector: String,
    /// Where collectors send to.
    pub telemetry_endpoint: Option<String>,
    /// Where alerts lead to.
    pub links: Links,
    /// Labels of PrometheusRules and PodMonitors, by which a Prometheus chooses them.
    pub monitoring_labels: BTreeMap<String, String>,
    /// Who comes in from outside, who reads metrics, and where the API server is.
    pub network: ClusterNetwork,
    /// What they may name instead, and what their Ingress may be.
    pub allowed: Allowed,
}

/// What must be in the cluster before the first SQL: secrets that would be lost otherwise.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Password of each client's role.
    pub credentials: Secret,
    /// API key of each client.
    pub api_keys: Secret,
    /// Keys with which the tenant signs tokens of its own, if it does.
    pub signing_keys: Option<Secret>,
}

/// The other children; [`EachChild`] goes through them in the order in which they are applied.
#[derive(Clone, Debug)]
pub struct Children {
    /// What the servers read.
    pub config: Secret,
    /// What the collectors read.
    pub collector_config: ConfigMap,
    /// Identity of the pods.
    pub service_account: ServiceAccount,
    /// The way in from outside the cluster, if there is one.
    pub ingress: Option<Ingress>,
    /// One that is there stays as it is, and none is made.
    pub leaves_ingress: bool,
    /// The same through Gateways.
    pub http_route: Option<HttpRoute>,
    /// What a Prometheus computes and alerts on, where the cluster has such.
    pub prometheus_rule: Option<PrometheusRule>,
    /// A Deployment each, and what is about its pods alone.
    pub components: Vec<ComponentChildren>,
}

/// The children of one component; of one that the tenant does not ask for there are none.
#[derive(Clone, Debug, Default)]
pub struct ComponentChildren {
    /// Name of each of them.
    pub name: String,
    /// Name and address, if anybody calls it.
    pub service: Option<Service>,
    /// Who may talk to the pods.
    pub network_policy: Option<NetworkPolicy>,
    /// Limit to voluntary evictions.
    pub pod_disruption_budget: Option<PodDisruptionBudget>,
    /// How a Prometheus scrapes the pods.
    pub pod_monitor: Option<PodMonitor>,
    /// The pods.
    pub deployment: Option<Deployment>,
    /// How many there are at first, where an autoscaler chooses.
    pub first_replicas: i32,
    /// Who chooses how many pods there are, if it is not the spec.
    pub horizontal_pod_autoscaler: Option<HorizontalPodAutoscaler>,
}

/// The Secrets of a tenant.
#[must_use]
pub fn secrets(wanted: &ValidatedTenant) -> Secrets {
    Secrets {
        credentials: credentials::build(wanted),
        api_keys: api_keys::build(wanted),
        signing_keys: wanted
            .issuer
            .as_ref()
            .map(|issuer| signing_keys::build(wanted, issuer)),
    }
}

/// All other children of a tenant.
#[must_use]
pub fn children(wanted: &ValidatedTenant) -> Children {
    children_of(wanted, &components(wanted), &COMPONENTS)
}

/// The children of a tenant that has `components` and may have all that are called `names`.
pub(crate) fn children_of(
    wanted: &ValidatedTenant,
    components: &[Component],
    names: &[&str],
) -> Children {
    let collector_config = collector_config::build(wanted);
    let of_component = |name: &&str| {
        let component = components.iter().find(|component| component.name == *name);
        let children = component.map(|it| of_component(wanted, it, &collector_config));
        ComponentChildren {
            name: component_name(&wanted.name, name),
            ..children.unwrap_or_default()
        }
    };
    Children {
        config: api_config::build(wanted),
        service_account: service_account::build(wanted),
        ingress: wanted
            .ingress
            .as_ref()
            .map(|asked| ingress::build(wanted, asked)),
        leaves_ingress: wanted.leaves_ingress,
        http_route: wanted
            .http_route
            .as_ref()
            .map(|asked| http_route::build(wanted, asked)),
        prometheus_rule: prometheus_rule::build(wanted),
        components: names.iter().map(of_component).collect(),
        collector_config,
    }
}

fn of_component(
    wanted: &ValidatedTenant,
    component: &Component,
    collector_config: &ConfigMap,
) -> ComponentChildren {
    ComponentChildren {
        name: String::new(),
        service: service::build(wanted, component),
        network_policy: Some(network_policy::build(wanted, component)),
        pod_disruption_budget: Some(pod_disruption_budget::build(wanted, component)),
        pod_monitor: pod_monitor::build(wanted, component),
        deployment: Some(deployment::build(wanted, component, collector_config)),
        first_replicas: component.replicas,
        horizontal_pod_autoscaler: component
            .autoscaling
            .as_ref()
            .map(|asked| horizontal_pod_autoscaler::build(wanted, component, asked)),
    }
}

#[cfg(test)]
mod real_collector;
#[cfg(test)]
mod tests;

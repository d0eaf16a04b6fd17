//! The NetworkPolicy: a component's open ports and the metrics for all, its others for the tenant's own
//! namespace.
//!
//! Egress stays open: policies see ports behind a Service, which a spec does not tell.

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::collector_config::METRICS_PORT;
use super::component::{Component, Port};
use super::metadata::{component_metadata, selector};
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(wanted: &ValidatedTenant, component: &Component) -> NetworkPolicy {
    let same_namespace = NetworkPolicyPeer {
        pod_selector: Some(LabelSelector::default()),
        ..NetworkPolicyPeer::default()
    };
    let (open, inner): (Vec<&Port>, Vec<&Port>) =
        component.ports.iter().partition(|port| port.is_open);
    let open = open.into_iter().map(|port| tcp(port.number));
    let mut rules = vec![NetworkPolicyIngressRule {
        ports: Some(open.chain([tcp(METRICS_PORT)]).collect()),
        from: None,
    }];
    // A rule without a port would be one for all ports.
    if !inner.is_empty() {
        rules.push(NetworkPolicyIngressRule {
            ports: Some(inner.into_iter().map(|port| tcp(port.number)).collect()),
            from: Some(vec![same_namespace]),
        });
    }
    NetworkPolicy {
        metadata: component_metadata(wanted, component.name),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector {
                match_labels: Some(selector(wanted, component.name)),
                ..LabelSelector::default()
            }),
            policy_types: Some(vec!["Ingress".into()]),
            ingress: Some(rules),
            ..NetworkPolicySpec::default()
        }),
    }
}

fn tcp(port: u16) -> NetworkPolicyPort {
    NetworkPolicyPort {
        port: Some(IntOrString::Int(port.into())),
        protocol: Some("TCP".into()),
        ..NetworkPolicyPort::default()
    }
}

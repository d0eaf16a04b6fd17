//! The NetworkPolicy: a component's open ports for its callers, the metrics for whoever scrapes them, its
//! others for the tenant's own namespace; and no way out to what would trust the pods for where they run
//! ([0046](../../../docs/adr/0046-a-policy-names-who-comes-in-and-where-nobody-goes.md)).

use std::net::{IpAddr, SocketAddr};

use docket_crds::{NetworkPeer, NetworkSelector};
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::collector_config::METRICS_PORT;
use super::component::{Component, Port};
use super::metadata::{component_metadata, selector};
use crate::validated_tenant::{Network, ValidatedTenant};

/// Where clouds hand machines and pods their credentials: the link-local address that all of them share,
/// those of ECS and EKS, of Azure's WireServer, Alibaba's, and AWS' over IPv6.
const METADATA_SERVICES: [&str; 7] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "168.63.129.16",
    "100.100.100.200",
    "fd00:ec2::254",
    "fd00:ec2::23",
];

pub(super) fn build(wanted: &ValidatedTenant, component: &Component) -> NetworkPolicy {
    let egress = egress(&wanted.network);
    let mut types = vec!["Ingress".to_owned()];
    types.extend(egress.as_ref().map(|_| "Egress".to_owned()));
    NetworkPolicy {
        metadata: component_metadata(wanted, component.name),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector {
                match_labels: Some(selector(wanted, component.name)),
                ..LabelSelector::default()
            }),
            policy_types: Some(types),
            ingress: Some(ingress(&wanted.network, component)),
            egress,
        }),
    }
}

fn ingress(network: &Network, component: &Component) -> Vec<NetworkPolicyIngressRule> {
    let ports = |which: fn(&Port) -> bool| -> Vec<NetworkPolicyPort> {
        let ports = component.ports.iter().filter(|port| which(port));
        ports.map(|port| tcp(port.number)).collect()
    };
    let mut metrics = ports(|port| port.has_metrics);
    metrics.push(tcp(METRICS_PORT));
    let own_namespace = NetworkPolicyPeer {
        pod_selector: Some(LabelSelector::default()),
        ..NetworkPolicyPeer::default()
    };
    let callers = network.callers.as_ref();
    let callers = callers.map(|peers| peers.iter().map(peer).collect());
    let scrapers: Vec<_> = network.scrapers.iter().map(peer).collect();
    let rules = [
        (ports(|port| port.is_open), callers),
        (
            ports(|port| !port.is_open && !port.has_metrics),
            Some(vec![own_namespace]),
        ),
        (metrics, Some(scrapers)),
    ];
    rules
        .into_iter()
        // A rule without ports would be one for all ports, and one without peers one for everybody.
        .filter(|(ports, from)| !ports.is_empty() && from.as_ref().is_none_or(|it| !it.is_empty()))
        .map(|(ports, from)| NetworkPolicyIngressRule {
            ports: Some(ports),
            from,
        })
        .collect()
}

/// All of the cluster's pods, and all addresses but those that trust a pod for where it runs. Policies see
/// ports behind a Service, which a spec does not tell: so addresses are left out, and no port is named.
fn egress(network: &Network) -> Option<Vec<NetworkPolicyEgressRule>> {
    let api_server = network.api_server.as_ref()?;
    let metadata = METADATA_SERVICES.iter().map(|address| {
        let parsed: Result<IpAddr, _> = address.parse();
        parsed.expect("these are addresses")
    });
    let servers = api_server.iter().map(SocketAddr::ip);
    let mut left_out: Vec<IpAddr> = metadata.chain(servers).collect();
    left_out.dedup();
    let everything = |cidr: &str, kind: fn(&IpAddr) -> bool| {
        let left_out = left_out.iter().filter(|address| kind(address));
        block(cidr.to_owned(), left_out.map(one_address).collect())
    };
    let anywhere = NetworkPolicyEgressRule {
        to: Some(vec![
            // To some, a range of addresses means none of the cluster's own pods.
            NetworkPolicyPeer {
                namespace_selector: Some(LabelSelector::default()),
                ..NetworkPolicyPeer::default()
            },
            everything("0.0.0.0/0", IpAddr::is_ipv4),
            everything("::/0", IpAddr::is_ipv6),
        ]),
        ports: None,
    };
    // A machine of the control plane may be that of a database or a gateway, too.
    let beside = api_server.iter().map(|server| NetworkPolicyEgressRule {
        to: Some(vec![block(one_address(&server.ip()), Vec::new())]),
        ports: Some(all_but(server.port())),
    });
    Some(std::iter::once(anywhere).chain(beside).collect())
}

fn block(cidr: String, except: Vec<String>) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr,
            except: (!except.is_empty()).then_some(except),
        }),
        ..NetworkPolicyPeer::default()
    }
}

fn one_address(address: &IpAddr) -> String {
    let bits = if address.is_ipv4() { 32 } else { 128 };
    format!("{address}/{bits}")
}

fn all_but(port: u16) -> Vec<NetworkPolicyPort> {
    let range = |protocol: &str, from: u16, to: u16| {
        (from <= to).then(|| NetworkPolicyPort {
            port: Some(IntOrString::Int(from.into())),
            end_port: (from < to).then(|| to.into()),
            protocol: Some(protocol.into()),
        })
    };
    let below = range("TCP", 1, port.saturating_sub(1));
    let above = port
        .checked_add(1)
        .and_then(|next| range("TCP", next, u16::MAX));
    let udp = range("UDP", 1, u16::MAX);
    [below, above, udp].into_iter().flatten().collect()
}

fn peer(peer: &NetworkPeer) -> NetworkPolicyPeer {
    let selector = |selector: &NetworkSelector| LabelSelector {
        match_labels: (!selector.match_labels.is_empty()).then(|| selector.match_labels.clone()),
        ..LabelSelector::default()
    };
    NetworkPolicyPeer {
        namespace_selector: peer.namespace_selector.as_ref().map(selector),
        pod_selector: peer.pod_selector.as_ref().map(selector),
        ip_block: peer.ip_block.as_ref().map(|block| IPBlock {
            cidr: block.cidr.clone(),
            except: None,
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

//! What the operator is told of the cluster's network, and what it finds out: who comes in from outside,
//! who reads metrics, and where the API server is.

use std::net::SocketAddr;
use std::str::FromStr;

use clap::ValueEnum;
use docket_crds::NetworkPeer;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::{Api, Client};

/// Pods and addresses, as JSON on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers(pub Vec<NetworkPeer>);

impl FromStr for Peers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let peers: Vec<NetworkPeer> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        // To a NetworkPolicy, a peer that names nothing is an error, and one of both kinds is, too.
        let is_one = |peer: &NetworkPeer| {
            peer.ip_block.is_some()
                != (peer.namespace_selector.is_some() || peer.pod_selector.is_some())
        };
        match peers.iter().all(is_one) {
            true => Ok(Self(peers)),
            false => Err("a peer names ipBlock, or namespaceSelector, podSelector or both".into()),
        }
    }
}

/// Where the tenants' pods may connect to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Egress {
    /// Anywhere but to the services that hand a machine its credentials, and to the API server.
    #[default]
    Restricted,
    /// As others' policies say, or anywhere.
    Open,
}

/// What every tenant has in common of the network.
#[derive(Clone, Debug, Default)]
pub struct ClusterNetwork {
    /// Who brings in callers from outside; where there is none, an API that is exposed is open to all.
    pub gateways: Vec<NetworkPeer>,
    /// Who reads metrics.
    pub scrapers: Vec<NetworkPeer>,
    /// Where the API server is, if pods are kept from it.
    pub api_server: Option<Vec<SocketAddr>>,
}

/// The addresses of the API server: that of its Service, as this container has it, and those behind it.
pub async fn api_server_addresses(client: Client) -> Vec<SocketAddr> {
    let variable = |name| std::env::var(name).ok();
    let service = variable("KUBERNETES_SERVICE_HOST").zip(variable("KUBERNETES_SERVICE_PORT"));
    let service = service.and_then(|(host, port)| address(&host, port.parse().ok()?));
    let slices: Api<EndpointSlice> = Api::namespaced(client, "default");
    let behind = match slices.get_opt("kubernetes").await {
        Ok(slice) => slice.map(|slice| addresses_in(&slice)).unwrap_or_default(),
        Err(error) => {
            tracing::warn!(%error, "pods are not kept from the API server: its addresses cannot be read");
            Vec::new()
        }
    };
    let mut all: Vec<SocketAddr> = service.into_iter().chain(behind).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn addresses_in(slice: &EndpointSlice) -> Vec<SocketAddr> {
    let ports = slice.ports.iter().flatten();
    let ports: Vec<u16> = ports
        .filter_map(|port| u16::try_from(port.port?).ok())
        .collect();
    let endpoints = slice.endpoints.iter();
    let hosts = endpoints.flat_map(|endpoint| &endpoint.addresses);
    hosts
        .flat_map(|host| ports.iter().filter_map(|port| address(host, *port)))
        .collect()
}

fn address(host: &str, port: u16) -> Option<SocketAddr> {
    Some(SocketAddr::new(host.parse().ok()?, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_peer_that_names_nothing_or_is_of_both_kinds_is_refused() {
        let prometheus =
            r#"[{"namespaceSelector": {"matchLabels": {"a": "b"}}, "podSelector": {}}]"#;
        let peers: Peers = prometheus.parse().expect("a peer");
        assert_eq!(peers.0.len(), 1);
        assert_eq!("[]".parse(), Ok(Peers::default()));
        for wrong in [
            "",
            "{}",
            "[{}]",
            r#"[{"podSelecter": {}}]"#,
            r#"[{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]"#,
        ] {
            assert!(wrong.parse::<Peers>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_address_of_the_api_server_is_found_with_its_port() {
        let slice = json!({
            "addressType": "IPv4", "ports": [{"name": "https", "port": 6443}],
            "endpoints": [{"addresses": ["10.0.0.2"]}, {"addresses": ["10.0.0.1"]}],
        });
        let slice = serde_json::from_value(slice).expect("an EndpointSlice");
        let found: Vec<String> = addresses_in(&slice)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, ["10.0.0.2:6443", "10.0.0.1:6443"]);
    }
}

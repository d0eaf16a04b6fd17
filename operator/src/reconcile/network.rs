//! Who may connect to a tenant's API, as its spec and the operator's settings say.

use docket_crds::{Api, NetworkPeer, NetworkSelector};

use crate::network::ClusterNetwork;
use crate::validated_tenant::Network;

pub(super) fn network(api: &Api, cluster: &ClusterNetwork) -> Network {
    Network {
        callers: callers(api, &cluster.gateways),
        scrapers: cluster.scrapers.clone(),
        api_server: cluster.api_server.clone(),
    }
}

/// None where everybody may: what is exposed is for callers from outside, and where they come in is not
/// known unless somebody says it.
fn callers(api: &Api, gateways: &[NetworkPeer]) -> Option<Vec<NetworkPeer>> {
    if let Some(network) = &api.network {
        return Some(network.from.clone());
    }
    let is_exposed = api.ingress.is_some() || api.http_route.is_some();
    let own_namespace = NetworkPeer {
        pod_selector: Some(NetworkSelector::default()),
        ..NetworkPeer::default()
    };
    match (is_exposed, gateways) {
        (false, _) => Some(vec![own_namespace]),
        (true, []) => None,
        (true, gateways) => Some([&[own_namespace], gateways].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Who may connect to an API with `spec`, with these gateways, as a NetworkPolicy would say it.
    fn callers_of(spec: Value, gateways: &Value) -> Value {
        let api = serde_json::from_value(spec).expect("a spec");
        let gateways: Vec<NetworkPeer> = serde_json::from_value(gateways.clone()).expect("peers");
        serde_json::to_value(callers(&api, &gateways)).expect("it serializes")
    }

    #[test]
    fn only_the_namespace_calls_unless_the_spec_exposes_or_names_others() {
        let (none, own) = (json!([]), json!({"podSelector": {}}));
        let gateway = json!({"namespaceSelector": {"matchLabels": {"name": "gateways"}}});
        let gateways = json!([gateway]);
        let ingress = json!({"ingress": {"host": "acme.example.com"}});
        let route = json!({"httpRoute": {"parentRefs": [{"name": "public"}]}});
        assert_eq!(callers_of(json!({}), &none), json!([own]));
        assert_eq!(callers_of(json!({}), &gateways), json!([own]));
        for exposed in [ingress, route] {
            assert_eq!(callers_of(exposed.clone(), &none), Value::Null);
            assert_eq!(
                callers_of(exposed.clone(), &gateways),
                json!([own, gateway])
            );
            let block = json!({"ipBlock": {"cidr": "192.0.2.0/24"}});
            let mut named = exposed;
            named["network"] = json!({"from": [block]});
            assert_eq!(callers_of(named, &gateways), json!([block]));
        }
    }
}

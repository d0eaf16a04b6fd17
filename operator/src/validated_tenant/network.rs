//! Who may connect to the pods, and where they may connect to.

use std::net::SocketAddr;

use docket_crds::NetworkPeer;

/// Who may connect to the pods, and where they may connect to.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Who may connect to the ports that are for callers; everybody, where there is none.
    pub callers: Option<Vec<NetworkPeer>>,
    /// Who may connect to the ports with metrics.
    pub scrapers: Vec<NetworkPeer>,
    /// Where the API server is, if the pods are kept from it.
    pub api_server: Option<Vec<SocketAddr>>,
}

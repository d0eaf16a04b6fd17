//! The cluster that `KUBECONFIG` names.

use std::sync::Once;

use anyhow::{Context, Result};
use kube::Client;

/// A client of the cluster; TLS is set up on the first call.
///
/// # Errors
/// There is no cluster.
pub async fn client() -> Result<Client> {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("nobody else installs one");
    });
    Client::try_default()
        .await
        .context("no cluster: run `make up`, then `eval \"$(make -s env)\"`")
}

//! TLS on the listeners, with the certificate of the tenant.

use std::sync::Arc;

use anyhow::Context as _;
use docket_contract::Tls;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::ExposeSecret as _;

/// What the listeners speak inside TLS.
const HTTP_1_1: &[u8] = b"http/1.1";

/// TLS 1.2 and 1.3 with the certificate of `tls`.
///
/// # Errors
/// When certificate and key are no PEM, or do not belong together.
pub fn config(tls: &Tls) -> anyhow::Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_slice_iter(tls.certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .context("the certificate is no PEM")?;
    let key = PrivateKeyDer::from_pem_slice(tls.key.expose_secret().as_bytes())
        .context("the certificate's key is no PEM")?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("the certificate cannot be used")?;
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(Arc::new(config))
}

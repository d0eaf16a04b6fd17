//! An issuer of tokens that runs beside the cluster, where pods reach it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::core::v1::Node;
use kube::api::ListParams;
use kube::{Api, Client};
use rcgen::{KeyPair, PKCS_ED25519};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use docket_testing_support::Authority;

const KEY_ID: &str = "e2e";

/// An issuer with one key, until it is dropped.
pub struct Issuer {
    /// What the claim `iss` of its tokens is.
    pub url: String,
    key: Ed25519KeyPair,
    serving: AbortHandle,
}

impl Issuer {
    /// Publishes its key on the address of the node, with a certificate of `authority`.
    ///
    /// # Errors
    /// The cluster has no node on this machine.
    pub async fn start(client: &Client, authority: &Authority) -> Result<Self> {
        let node = node_address(client).await?;
        let listener = TcpListener::bind((node.as_str(), 0)).await?;
        let url = format!("https://{node}:{}", listener.local_addr()?.port());
        let key = KeyPair::generate_for(&PKCS_ED25519)?.serialize_der();
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key).map_err(anyhow::Error::msg)?;
        let certificate = authority.certify(&node)?;
        let chain = CertificateDer::from_pem_slice(certificate.certificate.as_bytes())?;
        let private = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes())?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![chain], private)?;
        let serving = serve(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            answer(&url, &key),
        );
        Ok(Self {
            url,
            serving: tokio::spawn(serving).abort_handle(),
            key,
        })
    }

    /// A token for `client` with this scope, valid for five minutes.
    ///
    /// # Errors
    /// The clock is wrong.
    pub fn token(&self, client: &str, scope: &str) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": KEY_ID});
        let claims = json!({
            "iss": self.url, "aud": "docket", "sub": "alice", "client_id": client, "scope": scope,
            "iat": now, "exp": now + 300,
        });
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(message.as_bytes()));
        Ok(format!("{message}.{signature}"))
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// Both documents in one: each reader takes its own members.
fn answer(url: &str, key: &Ed25519KeyPair) -> String {
    let public = URL_SAFE_NO_PAD.encode(key.public_key());
    let body = json!({
        "issuer": url, "jwks_uri": format!("{url}/keys"),
        "keys": [{"kty": "OKP", "crv": "Ed25519", "x": public, "kid": KEY_ID, "use": "sig"}],
    })
    .to_string();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, answer: String) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        tokio::spawn(async move {
            let mut stream = acceptor.accept(stream).await?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await? > 0 {}
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        });
    }
}

/// Where pods reach this machine.
async fn node_address(client: &Client) -> Result<String> {
    let nodes = Api::<Node>::all(client.clone());
    let nodes = nodes.list(&ListParams::default()).await?;
    let addresses = nodes.into_iter().filter_map(|node| node.status?.addresses);
    let internal = addresses.flatten().find(|it| it.type_ == "InternalIP");
    Ok(internal.context("a node without an address")?.address)
}

//! Mode Jwt, where the issuer's certificate is signed by an authority that the tenant names.

use std::process::Command;
use std::sync::Arc;

use docket_loopback::free_address;
use docket_testing_support::Process;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;

use crate::support::issuer::{Issuer, Signer};
use crate::support::{Tenancy, eventually};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// A certificate for `localhost` that `authority` signed.
fn certified(authority: &Authority) -> ServerConfig {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a configuration")
}

/// An API server of a tenant that believes `issuer`, and the system's authorities without others.
struct Server {
    _tenancy: Tenancy,
    process: Process,
    url: String,
}

impl Server {
    async fn believes(issuer: &Issuer, authority: Option<String>) -> Self {
        let mut tenancy = Tenancy::without_database("Jwt");
        let mut jwt =
            json!({"issuer": issuer.url(), "audience": "docket", "clientClaim": "client_id"});
        if let Some(authority) = authority {
            jwt["ca"] = authority.into();
        }
        tenancy.config["auth"]["jwt"] = jwt;
        let address = free_address().expect("an address");
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket-api-server"));
        command
            .arg("--config")
            .arg(tenancy.config_file())
            .arg(format!("--listen={address}"))
            .arg("--data-store-listen=127.0.0.1:0")
            .arg("--operations-listen=127.0.0.1:0")
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env("RUST_LOG", "warn");
        let process =
            Process::start(command, tenancy.folder.path().join("log")).expect("a process");
        let server = Self {
            _tenancy: tenancy,
            process,
            url: format!("http://{address}"),
        };
        eventually("it serves", async || {
            reqwest::get(format!("{}/livez", server.url)).await.is_ok()
        })
        .await;
        server
    }

    /// The status and the body of what is read with `token`; 400 once it is let in.
    async fn read(&self, token: &str) -> (u16, String) {
        let url = format!("{}/clients/globex/documents?limit=0", self.url);
        let request = reqwest::Client::new().get(url).bearer_auth(token);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a body"))
    }

    async fn readiness(&self) -> String {
        let answer = reqwest::get(format!("{}/readyz", self.url)).await;
        answer.expect("an answer").text().await.expect("a body")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_is_believed_by_its_own_authority_and_by_no_other() {
    docket_platform::install_crypto();
    let (right, wrong) = (authority(), authority());
    let key = Signer::ed25519("a");
    let issuer = Issuer::start_with_tls(certified(&right), &[&key]).await;
    let token = key.token(&issuer.claims());

    for authorities in [right.pem(), format!("{}{}", wrong.pem(), right.pem())] {
        let server = Server::believes(&issuer, Some(authorities)).await;
        eventually("the token lets its client in", async || {
            server.read(&token).await.0 == 400
        })
        .await;
    }
    let asked = issuer.asked();

    for authority in [Some(wrong.pem()), None] {
        let server = Server::believes(&issuer, authority).await;
        eventually("the log says why", async || {
            let log = server.process.log();
            log.contains("the issuer's keys cannot be fetched")
                && log.contains("invalid peer certificate")
        })
        .await;
        let (status, problem) = server.read(&token).await;
        assert_eq!(status, 503, "{problem}");
        assert!(problem.contains("issuer-unavailable"), "{problem}");
        let ready = server.readiness().await;
        let reason = "the issuer's keys have not been fetched";
        assert!(ready.contains(reason), "{ready}");
    }
    assert_eq!(issuer.asked(), asked, "nothing was asked without trust");
}

//! What a Prometheus may ask of those who ask it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use docket_loopback::free_address;
use docket_testing_support::{Process, mortal, tool};
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// `docket`, whose password is `secret`, and what the server keeps of that.
const AUTHORIZATION: &str = "Basic ZG9ja2V0OnNlY3JldA==";
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A real one, with a certificate of its own, that wants a password.
struct Guarded {
    _process: Process,
    folder: TempDir,
    url: String,
}

impl Guarded {
    async fn start() -> Self {
        // Only the first test can win, and all ask for the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let key = KeyPair::generate().expect("a key");
        let names = CertificateParams::new(["127.0.0.1".to_owned()]).expect("names");
        let certificate = names.self_signed(&key).expect("a certificate").pem();
        let web = json!({
            "tls_server_config": {"cert_file": "tls.crt", "key_file": "tls.key"},
            "basic_auth_users": {"docket": HASH},
        });
        std::fs::create_dir(folder.path().join("headers")).expect("a folder");
        for (name, content) in [
            ("tls.crt", &*certificate),
            ("tls.key", &key.serialize_pem()),
            ("web.yaml", &web.to_string()),
            ("prometheus.yaml", "{}"),
            ("headers/Authorization", AUTHORIZATION),
        ] {
            std::fs::write(folder.path().join(name), content).expect("written");
        }
        let address = free_address().expect("a port");
        let prometheus = tool("prometheus").expect("a Prometheus");
        let mut command = mortal(&prometheus, "KILL");
        command
            .current_dir(folder.path())
            .args([
                "--config.file=prometheus.yaml",
                "--web.config.file=web.yaml",
                "--storage.tsdb.path=data",
            ])
            .arg(format!("--web.listen-address={address}"));
        let log = folder.path().join("log");
        let process = Process::start(command, log).expect("setpriv");
        let guarded = Self {
            _process: process,
            folder,
            url: format!("https://{address}"),
        };
        let answers = async {
            while guarded.ask(true, true).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let answering = tokio::time::timeout(PATIENCE, answers).await;
        answering.expect("Prometheus does not answer: run `make control-plane-tools`");
        guarded
    }

    async fn ask(&self, trusted: bool, known: bool) -> Result<Vec<Sample>> {
        let (ca, headers) = (
            self.folder.path().join("tls.crt"),
            self.folder.path().join("headers"),
        );
        let source = Source {
            url: &self.url,
            ca_file: trusted.then_some(&ca),
            headers: known.then_some(&headers),
        };
        Prometheus::new(&source)?.query("vector(7)").await
    }
}

#[tokio::test]
async fn a_certificate_is_checked_by_its_authority_and_headers_are_sent_along() {
    let guarded = Guarded::start().await;
    let answer = guarded.ask(true, true).await.expect("an answer");
    assert_eq!(answer.iter().map(|it| it.value).collect::<Vec<_>>(), [7.0]);
    let stranger = guarded.ask(true, false).await.expect_err("no password");
    assert!(stranger.to_string().contains("401"), "{stranger:#}");
    let distrusted = guarded.ask(false, true).await.expect_err("no authority");
    assert!(
        format!("{distrusted:#}").contains("certificate"),
        "{distrusted:#}"
    );
}

#[test]
fn headers_are_a_folder_of_files_as_kubernetes_mounts_them() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("..data")).expect("a folder");
    std::fs::write(folder.path().join("X-Scope-OrgID"), "acme\n").expect("written");
    let found = headers(folder.path()).expect("headers");
    assert_eq!(found.len(), 1);
    assert_eq!(found["x-scope-orgid"], "acme");
    assert!(found["x-scope-orgid"].is_sensitive());
    std::fs::write(folder.path().join("no header"), "x").expect("written");
    let error = headers(folder.path()).expect_err("a blank is no part of a name");
    assert!(error.to_string().contains("no header"), "{error}");
}

/// The URL of a server that answers all with `status`, leads to `location`, and counts who asks.
async fn answering(status: u16, location: &str, body: &'static str) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (counted, location) = (asked.clone(), location.to_owned());
    let answer = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let status = http::StatusCode::from_u16(status).expect("a status");
        std::future::ready((status, [(http::header::LOCATION, location.clone())], body))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = axum::Router::new().fallback(answer);
    tokio::spawn(axum::serve(listener, server).into_future());
    (url, asked)
}

#[tokio::test]
async fn headers_go_to_no_other_server_and_what_is_no_answer_is_not_shown() {
    // Only the first test can win, and all ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (inner, asked) = answering(403, "/", "an inner secret").await;
    let (leads_there, _) = answering(307, &inner, "an inner secret").await;
    for (url, status) in [(inner, "403"), (leads_there, "307")] {
        let source = Source {
            url: &url,
            ..Source::default()
        };
        let prometheus = Prometheus::new(&source).expect("a client");
        let error = prometheus.query("up").await.expect_err("no Prometheus");
        let told = format!("{error:#}");
        assert!(told.contains(status) && !told.contains("secret"), "{told}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "by its own URL alone");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up_at_its_deadline() {
    // Only the first test can win, and all ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let address = silent.as_ref().expect("a port").local_addr();
    let source = Source {
        url: &format!("http://{}", address.expect("an address")),
        ..Source::default()
    };
    let prometheus = Prometheus::new(&source).expect("a client");
    let start = Instant::now();
    let error = prometheus.query("up").await.expect_err("nobody answers");
    assert!(
        (DEADLINE..2 * DEADLINE).contains(&start.elapsed()),
        "{error:#}"
    );
}

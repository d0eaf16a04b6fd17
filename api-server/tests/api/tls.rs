//! Connections of both listeners: TLS with the tenant's certificate, and callers that hold them up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use docket_api_server::{App, server};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{Tenancy, eventually, listeners};

/// All listeners, until `stop`.
struct Serving {
    /// Of the API and of the data store.
    addresses: [SocketAddr; 2],
    operations: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Serving {
    async fn start(app: Arc<App>) -> Self {
        let listeners = listeners().await;
        let addresses = [&listeners.api, &listeners.data_store];
        let addresses = addresses.map(|it| it.local_addr().expect("an address"));
        let operations = listeners.operations.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let grace = Duration::from_secs(30);
        let task = tokio::spawn(server::serve(app, listeners, stop.clone(), grace));
        Self {
            addresses,
            operations,
            stop,
            task,
        }
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("no panic");
    }
}

/// A tenant with a certificate for `localhost`, and the certificate.
fn with_certificate() -> (Tenancy, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let mut tenancy = Tenancy::without_database("ApiKey");
    tenancy.config["tls"] = json!({"certificate": cert.pem(), "key": signing_key.serialize_pem()});
    (tenancy, cert.pem())
}

async fn is_closed(mut connection: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let closed = connection.read_to_end(&mut answer);
    let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
    // A reset closes, too.
    let _ = closed.expect("still open");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn both_listeners_speak_tls_with_the_certificate_of_the_tenant() {
    let (tenancy, certificate) = with_certificate();
    let serving = Serving::start(tenancy.app()).await;
    let root = reqwest::Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
    for address in serving.addresses {
        for version in [
            reqwest::tls::Version::TLS_1_2,
            reqwest::tls::Version::TLS_1_3,
        ] {
            let client = reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([root.clone()])
                .tls_version_min(version)
                .tls_version_max(version)
                .resolve("localhost", address)
                .build()
                .expect("a client");
            let url = format!("https://localhost:{}/health", address.port());
            let answer = client.get(url).send().await.expect("an answer");
            assert_eq!(answer.status(), 503, "there is no database");
        }
    }
    serving.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_no_tls_or_never_ends_its_handshake_is_closed_and_the_others_are_served() {
    let (tenancy, certificate) = with_certificate();
    let app = tenancy.app_with(&["--idle-timeout=500ms"]);
    let serving = Serving::start(app).await;
    let address = serving.addresses[0];
    for sent in [
        b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"",
    ] {
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        connection.write_all(sent).await.expect("sent");
        let answer = is_closed(connection).await;
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    let root = reqwest::Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([root])
        .resolve("localhost", address)
        .build()
        .expect("a client");
    let url = format!("https://localhost:{}/livez", address.port());
    assert!(
        client
            .get(url)
            .send()
            .await
            .expect("an answer")
            .status()
            .is_success()
    );
    serving.end().await;
}

#[tokio::test]
async fn a_certificate_without_its_key_is_refused_at_the_start_with_a_sentence() {
    let (mut tenancy, _) = with_certificate();
    let (other, _) = with_certificate();
    let refusal = |tenancy: &Tenancy| {
        let error = tenancy.try_app().expect_err("a refusal");
        format!("{error:#}")
    };
    tenancy.config["tls"]["key"] = other.config["tls"]["key"].clone();
    assert!(refusal(&tenancy).starts_with("the certificate cannot be used: "));
    tenancy.config["tls"]["key"] = json!("nonsense");
    assert!(refusal(&tenancy).starts_with("the certificate's key is no PEM"));
    tenancy.config["tls"]["certificate"] = json!("nonsense");
    assert!(refusal(&tenancy).contains("certificate"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_takes_nothing_of_its_answers_is_cut_off() {
    let tenancy = Tenancy::without_database("ApiKey");
    let serving = Serving::start(tenancy.app_with(&["--idle-timeout=500ms"])).await;
    let mut connection = TcpStream::connect(serving.addresses[0])
        .await
        .expect("a connection");
    let cut = async {
        // More answers than any buffer holds, none of which is read.
        while connection
            .write_all(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .is_ok()
        {}
    };
    tokio::time::timeout(Duration::from_secs(30), cut)
        .await
        .expect("cut off");
    serving.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_waits_until_another_ends() {
    let tenancy = Tenancy::without_database("ApiKey");
    let serving = Serving::start(tenancy.app_with(&["--max-connections=1"])).await;
    let address = serving.addresses[0];
    let first = TcpStream::connect(address).await.expect("a connection");
    let mut second = TcpStream::connect(address)
        .await
        .expect("the kernel takes it");
    let request = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    second.write_all(request).await.expect("sent");
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(300), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered while the first was open");
    drop(first);
    eventually("the second is answered", async || {
        second.read(&mut byte).await.is_ok_and(|read| read == 1)
    })
    .await;
    assert_eq!(is_closed(second).await.get(..3), Some(&b"TTP"[..]));
    serving.end().await;
}

/// The answer of the listener for probes, which speaks plain HTTP, within the time that the kubelet waits.
async fn probe(serving: &Serving, path: &str) -> reqwest::Response {
    let url = format!("http://{}/{path}", serving.operations);
    let answer = tokio::time::timeout(Duration::from_secs(3), reqwest::get(url)).await;
    answer
        .expect("an answer before the kubelet gives up")
        .expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_are_answered_while_idle_callers_hold_all_connections_twice() {
    let (tenancy, _) = with_certificate();
    let app = tenancy.app_with(&["--max-connections=20"]);
    let serving = Serving::start(app).await;
    let mut idle = Vec::new();
    for address in serving.addresses {
        for _ in 0..40 {
            idle.push(TcpStream::connect(address).await.expect("a connection"));
        }
    }
    for path in ["livez", "metrics"] {
        assert_eq!(probe(&serving, path).await.status(), 200, "{path}");
    }
    // There is no database.
    assert_eq!(probe(&serving, "readyz").await.status(), 503);
    assert_eq!(
        probe(&serving, "clients/globex/documents").await.status(),
        404
    );
    drop(idle);
    serving.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_closed_sooner_where_there_are_many() {
    let tenancy = Tenancy::without_database("ApiKey");
    let app = tenancy.app_with(&["--max-connections=3", "--idle-timeout=12s"]);
    let serving = Serving::start(app).await;
    let connect = async || {
        let stream = TcpStream::connect(serving.addresses[0]).await;
        stream.expect("a connection")
    };
    let [first, _second, third] = [connect().await, connect().await, connect().await];
    is_closed(third).await;
    let first = tokio::time::timeout(Duration::from_secs(1), is_closed(first)).await;
    assert!(first.is_err(), "one of a few has its time");
    serving.end().await;
}

//! The process: how it refuses to start and how it ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use docket_api_server::server;
use futures::SinkExt as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::postgres::Postgres;
use crate::support::{Tenancy, eventually, listeners};

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket-api-server"));
    command
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env_remove("RUST_LOG");
    command
}

#[test]
fn a_configuration_that_cannot_be_used_is_one_sentence_and_exit_code_2() {
    let tenancy = Tenancy::without_database("ApiKey");
    let broken = tenancy.folder.path().join("broken.json");
    std::fs::write(&broken, r#"{"tenant": "acme"}"#).expect("written");
    for (path, sentence) in [
        (
            broken.as_path(),
            "cannot be used: missing field `namespace`",
        ),
        (
            std::path::Path::new("absent.json"),
            "absent.json cannot be read",
        ),
    ] {
        let output = binary()
            .arg("--config")
            .arg(path)
            .output()
            .expect("an output");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(sentence), "{stderr}");
        assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    }
}

/// Kills the process that a failed test leaves behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already when the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn sigterm_says_not_ready_first_and_then_ends_with_0() {
    docket_platform::install_crypto();
    let tenancy = Tenancy::without_database("ApiKey");
    let mut running = Running(
        binary()
            .arg("--config")
            .arg(tenancy.config_file())
            .args([
                "--listen=127.0.0.1:0",
                "--data-store-listen=127.0.0.1:0",
                "--operations-listen=127.0.0.1:0",
                "--drain-delay=2s",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process"),
    );
    let stdout = running.0.stdout.take().expect("stdout");
    let mut lines = BufReader::new(stdout).lines();
    let address = lines
        .by_ref()
        .map(|line| serde_json::from_str::<Value>(&line.expect("a line")).expect("JSON"))
        .find_map(|line| line["listen"].as_str().map(str::to_owned))
        .expect("the address in the log");
    let get = async |path: &str| {
        reqwest::get(format!("http://{address}/{path}"))
            .await
            .expect("an answer")
    };
    let before = get("livez").await;
    assert_eq!(before.status(), 200);
    assert!(!before.headers().contains_key("connection"));

    let pid = running.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill")
            .success()
    );
    eventually("not ready, yet answering", async || {
        get("readyz")
            .await
            .text()
            .await
            .expect("a body")
            .contains("shutting down")
    })
    .await;
    let last = get("livez").await;
    assert_eq!(last.headers()["connection"], "close");
    assert_eq!(running.0.wait().expect("an end").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_flight_is_finished_after_the_listener_has_closed() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let listeners = listeners().await;
    let address = listeners.api.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let app = tenancy.app_with(&["--idle-timeout=300ms"]);
    let grace = Duration::from_secs(30);
    let serving = tokio::spawn(server::serve(app, listeners, stop.clone(), grace));

    let (mut body, stream) = futures::channel::mpsc::channel::<std::io::Result<Vec<u8>>>(1);
    let upload = reqwest::Client::new()
        .put(format!("http://{address}/clients/globex/upload-document"))
        .header("x-api-key", "globex-key")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(reqwest::Body::wrap_stream(stream))
        .send();
    let upload = tokio::spawn(upload);
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    body.send(Ok(head.as_bytes().to_vec())).await.expect("sent");
    body.send(Ok(vec![b'x'; 9_000_000])).await.expect("sent");
    eventually("the upload is under way", async || tenancy.objects() == 1).await;
    let mut silent = TcpStream::connect(address).await.expect("a connection");
    let closed = silent.read_to_end(&mut Vec::new()).await;
    closed.expect("closed, while the upload goes on for longer than that");

    stop.cancel();
    eventually("no new connection", async || {
        TcpStream::connect(address).await.is_err()
    })
    .await;
    assert!(!serving.is_finished(), "it must wait for the upload");
    body.send(Ok(b"\r\n--b--\r\n".to_vec()))
        .await
        .expect("sent");
    drop(body);
    let answer = upload.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status(), 201);
    serving.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_brings_no_request_is_closed_on_both_listeners() {
    let tenancy = Tenancy::without_database("ApiKey");
    let listeners = listeners().await;
    let addresses = [&listeners.api, &listeners.data_store];
    let addresses = addresses.map(|it| it.local_addr().expect("an address"));
    let stop = CancellationToken::new();
    let app = tenancy.app_with(&["--idle-timeout=300ms"]);
    let grace = Duration::from_secs(30);
    let serving = tokio::spawn(server::serve(app, listeners, stop.clone(), grace));
    for address in addresses {
        for sent in [
            "",
            "GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ",
            "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            let mut connection = TcpStream::connect(address).await.expect("a connection");
            connection.write_all(sent.as_bytes()).await.expect("sent");
            let mut answer = Vec::new();
            let closed = connection.read_to_end(&mut answer);
            tokio::time::timeout(Duration::from_secs(20), closed)
                .await
                .unwrap_or_else(|_| panic!("still open: {sent:?}"))
                .expect("closed");
            let answered = answer.starts_with(b"HTTP/1.1 404");
            assert_eq!(answered, sent.ends_with("\r\n\r\n"), "{sent:?}");
        }
    }
    stop.cancel();
    serving.await.expect("no panic");
}

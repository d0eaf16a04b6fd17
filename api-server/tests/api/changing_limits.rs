//! What a client may do changes while the server serves, against a real Postgres.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use docket_loopback::free_address;
use docket_testing_support::Process;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::postgres::Postgres;
use crate::support::{Tenancy, eventually};

/// A server in a process of its own, and the file that it follows.
struct Server {
    process: Process,
    address: SocketAddr,
    limits: PathBuf,
    _tenancy: Tenancy,
    _postgres: Postgres,
}

impl Server {
    /// Its configuration lets `globex` store one document, and call as often as it likes.
    async fn start() -> Self {
        docket_platform::install_crypto();
        let postgres = Postgres::start();
        let mut tenancy = postgres.tenancy("acme").await;
        tenancy.config["clients"][0]["limits"]["documents"]["quota"] = json!({"documents": 1});
        let config = tenancy.config_file();
        let address = free_address().expect("an address");
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket-api-server"));
        command
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .arg(format!("--config={}", config.display()))
            .arg(format!("--listen={address}"))
            .arg("--data-store-listen=127.0.0.1:0")
            .arg("--operations-listen=127.0.0.1:0");
        let server = Self {
            process: Process::start(command, tenancy.folder.path().join("log")).expect("a process"),
            address,
            limits: config.with_file_name("limits.json"),
            _tenancy: tenancy,
            _postgres: postgres,
        };
        eventually("it serves", async || server.answers().await).await;
        server
    }

    async fn answers(&self) -> bool {
        reqwest::get(self.url("readyz"))
            .await
            .is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    async fn usage(&self) -> Value {
        let request = reqwest::Client::new().get(self.url("clients/globex/usage"));
        let answer = request.header("x-api-key", "globex-key").send().await;
        let answer = answer.expect("an answer");
        answer.json().await.expect("JSON")
    }

    async fn upload(&self) -> StatusCode {
        let form = Form::new().part("file", Part::bytes(b"text".to_vec()).file_name("a.txt"));
        let request = reqwest::Client::new().put(self.url("clients/globex/upload-document"));
        let request = request.header("x-api-key", "globex-key").multipart(form);
        request.send().await.expect("an answer").status()
    }

    async fn comes_to_allow(&self, documents: Value) {
        eventually("the quota is another one", async || {
            self.usage().await["quota"]["documents"] == documents
        })
        .await;
    }
}

/// As the kubelet does: the file is whole, or not there.
fn put(file: &Path, text: &str) {
    let beside = file.with_extension("new");
    std::fs::write(&beside, text).expect("written");
    std::fs::rename(beside, file).expect("renamed");
}

fn limits(documents: u64) -> String {
    json!({"clients": {"globex": {"documents": {"quota": {"documents": documents}, "retentionDays": 1}}}})
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_changes_counts_without_a_restart_and_a_file_that_breaks_changes_nothing() {
    let server = Server::start().await;
    assert_eq!(server.upload().await, StatusCode::CREATED);
    assert_eq!(server.upload().await, StatusCode::FORBIDDEN);

    put(&server.limits, &limits(3));
    server.comes_to_allow(json!(3)).await;
    assert_eq!(server.upload().await, StatusCode::CREATED);

    put(&server.limits, "{\"clients\": {\"globex\":");
    eventually("the log tells", async || {
        server.process.log().contains("cannot be used")
    })
    .await;
    assert_eq!(server.usage().await["quota"]["documents"], 3);
    std::fs::remove_file(&server.limits).expect("removed");
    eventually("the log tells", async || {
        server.process.log().matches("no file of limits").count() == 2
    })
    .await;
    assert_eq!(server.usage().await["quota"]["documents"], 3);

    put(&server.limits, &limits(2));
    server.comes_to_allow(json!(2)).await;
    assert_eq!(server.upload().await, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_that_changes_counts_without_a_restart() {
    let server = Server::start().await;
    put(
        &server.limits,
        &json!({"rateLimit": {"requestsPerSecond": 1, "burst": 1}, "clients": {}}).to_string(),
    );
    eventually("too many requests", async || {
        server.upload().await == StatusCode::TOO_MANY_REQUESTS
    })
    .await;
    put(&server.limits, r#"{"clients": {}}"#);
    eventually("every request passes", async || {
        let answers = [
            server.upload().await,
            server.upload().await,
            server.upload().await,
        ];
        !answers.contains(&StatusCode::TOO_MANY_REQUESTS)
    })
    .await;
}

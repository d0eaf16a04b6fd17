//! What a server answers to all that its OpenAPI document allows, and to what it forbids.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::postgres::Postgres;
use crate::support::requests::upload;

/// Ends with the test, whichever way that ends.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(config: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_docket-api-server"))
            .arg("--config")
            .arg(config)
            .args([
                "--listen=127.0.0.1:0",
                "--data-store-listen=127.0.0.1:0",
                "--operations-listen=127.0.0.1:0",
            ])
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let stdout = process.stdout.take().expect("stdout");
        let mut lines = BufReader::new(stdout).lines().map(|line| {
            let line = line.expect("a line");
            serde_json::from_str::<Value>(&line).expect("JSON")
        });
        let address = lines
            .find_map(|line| line["listen"].as_str().map(str::to_owned))
            .expect("the address in the log");
        std::thread::spawn(move || {
            for line in lines.filter(|line| line["level"] == "ERROR") {
                eprintln!("{line}");
            }
        });
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes its time, and needs schemathesis: api-server/fuzz/run.sh brings it"]
async fn the_server_answers_everything_as_its_document_says() {
    let python = std::env::var("SCHEMATHESIS_PYTHON").expect("run api-server/fuzz/run.sh");
    let examples = std::env::var("SCHEMATHESIS_EXAMPLES").expect("run api-server/fuzz/run.sh");
    docket_platform::install_crypto();
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = docket_api_server::public_router(tenancy.app());
    for name in ["a.txt", "b.txt"] {
        let stored = upload(&router, "globex", name, b"0123456789").await;
        assert_eq!(stored.status, 201, "{stored:?}");
    }
    let server = Server::start(&tenancy.config_file());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let outcome = Command::new(python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(folder.join("schemathesis.toml"))
        .args(["run", "--max-examples", &examples])
        .arg(format!("http://{}/openapi.json", server.address))
        .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
        .current_dir(tenancy.folder.path())
        .status()
        .expect("schemathesis");
    assert!(outcome.success(), "{outcome}");
    let metrics = reqwest::get(format!("http://{}/metrics", server.address)).await;
    let metrics = metrics.expect("an answer").text().await.expect("a page");
    for reached in ["201", "206", "304"] {
        let label = format!("status=\"{reached}\"");
        assert!(
            metrics.contains(&label),
            "no request came as far as {reached}"
        );
    }
}

//! An API server, its Postgres and its S3, each a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use docket_loopback::free_address;
use docket_testing_support::{ObjectStoreSetup, Process, object_store};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::support::Tenancy;
use crate::support::postgres::Postgres;

const BUCKET: &str = "docket";
const REGION: &str = "us-east-1";
const KEY_ID: &str = "faults";
const KEY: &str = "faults-secret";

/// Recovery takes about 2 s; a busy machine may take long, and what is broken takes for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Held by each test: what they measure is time, and there are few cores.
pub static TURN: Mutex<()> = Mutex::const_new(());

/// The parts that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Api,
    Postgres,
    S3,
}

/// All three, on this machine only.
pub struct Stack {
    pub postgres: Postgres,
    pub s3: Process,
    pub api: Process,
    pub tenancy: Tenancy,
    pub address: SocketAddr,
    pub data_store: SocketAddr,
    /// Makes a connection a request.
    pub http: reqwest::Client,
    endpoint: String,
}

impl Stack {
    /// Starts them, the API server with `flags`, and waits until they work.
    pub async fn start(flags: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let postgres = Postgres::start_durable();
        let mut tenancy = postgres.tenancy("acme").await;
        let folder = tenancy.folder.path();
        let [s3_address, address, data_store] =
            [(); 3].map(|()| free_address().expect("an address"));
        let s3 = started(s3_command(s3_address, folder), folder.join("s3.log"));
        let endpoint = format!("http://{s3_address}");
        tenancy.config["workloads"]["documents"]["storage"] =
            json!({"s3": {"bucket": BUCKET, "endpoint": endpoint, "region": REGION}});
        let command = api_command(&tenancy, address, data_store, flags);
        let api = started(command, tenancy.folder.path().join("api.log"));
        let stack = Self {
            postgres,
            s3,
            api,
            tenancy,
            address,
            data_store,
            endpoint,
            http: reqwest::Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .expect("a client"),
        };
        stack.works_again().await;
        stack
    }

    /// The API server anew, with other `flags`.
    pub async fn restart_api(&mut self, flags: &[&str]) {
        self.kill(Part::Api);
        let command = api_command(&self.tenancy, self.address, self.data_store, flags);
        self.api = started(command, self.tenancy.folder.path().join("api.log"));
        self.works_again().await;
    }

    pub fn kill(&mut self, part: Part) {
        match part {
            Part::Api => self.api.kill(),
            Part::Postgres => self.postgres.kill(),
            Part::S3 => self.s3.kill(),
        }
    }

    pub fn resume(&mut self, part: Part) {
        match part {
            Part::Api => self.api.resume(),
            Part::Postgres => self.postgres.resume(),
            Part::S3 => self.s3.resume(),
        }
    }

    /// Waits until `/health` finds nothing wrong, with no restart of anything; returns how long that took.
    pub async fn works_again(&self) -> Duration {
        let start = Instant::now();
        loop {
            let found = self.ask("health").await;
            if found
                .as_ref()
                .is_some_and(|(_, it)| it["status"] == "healthy")
            {
                return start.elapsed();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "not healthy within {PATIENCE:?}: {found:?}\n{}",
                self.explain()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Status and JSON of an operational route; `None` when nobody answers.
    pub async fn ask(&self, path: &str) -> Option<(StatusCode, Value)> {
        let url = format!("http://{}/{path}", self.address);
        let answer = self.http.get(url).send().await.ok()?;
        Some((answer.status(), answer.json().await.ok()?))
    }

    /// The bucket itself, past the API server.
    pub fn bucket(&self) -> AmazonS3 {
        AmazonS3Builder::new()
            .with_bucket_name(BUCKET)
            .with_endpoint(&self.endpoint)
            .with_region(REGION)
            .with_allow_http(true)
            .with_access_key_id(KEY_ID)
            .with_secret_access_key(KEY)
            .build()
            .expect("a bucket")
    }

    /// Uploads in parts that S3 keeps though nobody goes on with them.
    pub fn dangling(&self) -> usize {
        let uploads = data(self.tenancy.folder.path())
            .join(BUCKET)
            .join(".sgwtmp/multipart");
        let objects = std::fs::read_dir(uploads).into_iter().flatten().flatten();
        objects
            .map(|object| std::fs::read_dir(object.path()).map_or(0, Iterator::count))
            .sum()
    }

    /// The end of the API server's log.
    pub fn explain(&self) -> String {
        let log = self.api.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

fn api_command(
    tenancy: &Tenancy,
    address: SocketAddr,
    data_store: SocketAddr,
    flags: &[&str],
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_docket-api-server"));
    command
        .arg("--config")
        .arg(tenancy.config_file())
        .arg(format!("--listen={address}"))
        .arg(format!("--data-store-listen={data_store}"))
        .arg("--operations-listen=127.0.0.1:0")
        .args(flags)
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env("RUST_LOG", "warn")
        // A request that is not recorded shares its statements with others; both ways must hold.
        .env("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        .env("OTEL_TRACES_SAMPLER_ARG", "0.3")
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", KEY);
    command
}

fn data(folder: &Path) -> PathBuf {
    folder.join("s3")
}

fn s3_command(address: SocketAddr, folder: &Path) -> Command {
    let setup = ObjectStoreSetup {
        address,
        data: &data(folder),
        bucket: BUCKET,
        region: REGION,
        key_id: KEY_ID,
        key: KEY,
    };
    object_store(&setup).expect("an S3 server")
}

fn started(command: Command, log: PathBuf) -> Process {
    Process::start(command, log).expect("a process")
}

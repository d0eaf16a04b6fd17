//! The operator that is measured: a plain process with the settings of production.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use docket_loopback::free_address;
use docket_testing_support::{Process, mortal};

use crate::stage::{OPERATOR_NAMESPACE, Stage};
use crate::tenants::PATIENCE;

/// What `images/operator` sets.
const OF_THE_IMAGE: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

/// How often is looked whether it is so far.
const LOOK: Duration = Duration::from_millis(50);

/// One operator; it is killed on drop.
pub struct Operator {
    process: Process,
    address: SocketAddr,
    http: reqwest::Client,
    started: Instant,
}

impl Operator {
    /// Starts `binary` and waits until it has the Lease and sees the cluster.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn start(stage: &Stage, binary: &Path, concurrency: u16) -> Result<Self> {
        Self::with(
            stage,
            binary,
            concurrency,
            &stage.plane.operator_kubeconfig(),
        )
        .await
    }

    /// The same by way of the API server at `url`.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn through(
        stage: &Stage,
        binary: &Path,
        concurrency: u16,
        url: &str,
    ) -> Result<Self> {
        let kubeconfig = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": url}}],
            "users": [{"name": "operator", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "operator"}}],
        });
        Self::with(stage, binary, concurrency, &kubeconfig.to_string()).await
    }

    async fn with(
        stage: &Stage,
        binary: &Path,
        concurrency: u16,
        kubeconfig: &str,
    ) -> Result<Self> {
        let folder = stage.plane.folder();
        let file = folder.join("operator.kubeconfig");
        std::fs::write(&file, kubeconfig)?;
        let address = free_address()?;
        let mut command = mortal(binary, "KILL");
        command
            .args([
                "--api-image=docket.test/api-server:1",
                "--collector-image=docket.test/collector:1",
                "--telemetry-endpoint=http://gateway.docket.test:4317",
                &format!("--listen={address}"),
                &format!("--concurrency={concurrency}"),
            ])
            .env("KUBECONFIG", file)
            .env("POD_NAME", "docket-operator-0")
            .env("POD_NAMESPACE", OPERATOR_NAMESPACE)
            .envs(OF_THE_IMAGE)
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT");
        let started = Instant::now();
        let mut operator = Self {
            process: Process::start(command, folder.join("operator.log"))?,
            address,
            http: reqwest::Client::builder().no_proxy().build()?,
            started,
        };
        while operator.ask("/readyz").await.is_err() {
            if operator.process.ended().is_some() || started.elapsed() > PATIENCE {
                bail!(
                    "the operator does not come up:\n{}",
                    operator.process.last_words()
                );
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(operator)
    }

    async fn ask(&self, path: &str) -> Result<String> {
        let url = format!("http://{}{path}", self.address);
        let answer = self.http.get(url).send().await?.error_for_status()?;
        Ok(answer.text().await?)
    }

    /// The last lines that it logged.
    pub fn last_words(&self) -> String {
        self.process.last_words()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// When it was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// How many reconciles have ended, however.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn reconciles(&self) -> Result<u64> {
        let text = self.ask("/metrics").await?;
        let ended = text
            .lines()
            .filter(|line| line.starts_with("docket_operator_reconciles_total{"));
        let counts = ended.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
        Ok(counts.sum::<f64>() as u64)
    }

    /// Asks it to end, and waits for that.
    pub fn stop(mut self) {
        self.process.end("TERM");
    }
}

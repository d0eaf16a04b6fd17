//! The operator as a plain process that is killed and comes back, as a kubelet would bring it back.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Result;
use docket_testing_support::{Process, mortal};
use serde_json::json;

/// Images are names here: no pod runs.
pub(crate) const API_IMAGE: &str = "docket.test/api-server:1";

/// One operator.
#[derive(Debug)]
pub struct Operator {
    binary: PathBuf,
    kubeconfig: PathBuf,
    log: PathBuf,
    namespace: String,
    more: Vec<String>,
    deadline: Duration,
    process: Mutex<Option<Process>>,
}

impl Operator {
    /// The operator `binary` that reaches the API server at `url`, with its Lease in `namespace`;
    /// its files go to `folder`. It waits for an answer until `deadline`, in whole seconds.
    ///
    /// # Errors
    /// `folder` cannot be written.
    pub fn new(
        binary: &Path,
        folder: &Path,
        url: &str,
        namespace: &str,
        deadline: Duration,
    ) -> Result<Self> {
        let kubeconfig = folder.join(format!("{namespace}.kubeconfig"));
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "matrix",
            "clusters": [{"name": "matrix", "cluster": {"server": url}}],
            "users": [{"name": "operator", "user": {}}],
            "contexts": [{"name": "matrix", "context": {"cluster": "matrix", "user": "operator"}}],
        });
        std::fs::write(&kubeconfig, config.to_string())?;
        Ok(Self {
            binary: binary.to_owned(),
            kubeconfig,
            log: folder.join(format!("{namespace}.log")),
            namespace: namespace.to_owned(),
            more: Vec::new(),
            deadline,
            process: Mutex::default(),
        })
    }

    /// The same with these arguments, too.
    #[must_use]
    pub fn told(mut self, arguments: &[String]) -> Self {
        self.more.extend_from_slice(arguments);
        self
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().expect("no holder of this lock panics")
    }

    /// Starts it, whether or not it ran.
    ///
    /// # Errors
    /// The program is not there.
    pub fn start(&self) -> Result<()> {
        let mut command = mortal(&self.binary, "KILL");
        command
            .args([
                &format!("--api-image={API_IMAGE}"),
                "--collector-image=docket.test/collector:1",
                "--telemetry-endpoint=http://gateway.docket.test:4317",
                "--listen=127.0.0.1:0",
                &format!("--api-deadline={}s", self.deadline.as_secs()),
                &format!("--sql-deadline={}s", self.deadline.as_secs()),
            ])
            .args(&self.more)
            .env("KUBECONFIG", &self.kubeconfig)
            // A container that starts again has the pod's name that it had.
            .env("POD_NAME", "docket-operator-0")
            .env("POD_NAMESPACE", &self.namespace)
            .env("RUST_LOG", "info")
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT");
        let mut process = self.process();
        drop(process.take());
        *process = Some(Process::start(command, self.log.clone())?);
        Ok(())
    }

    /// kill -9, and another one in its place.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn crash(&self) -> Result<()> {
        self.stop();
        self.start()
    }

    /// Starts it again if it ended by itself.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn revive(&self) -> Result<()> {
        let ended = self
            .process()
            .as_mut()
            .is_some_and(|process| process.ended().is_some());
        if ended { self.start() } else { Ok(()) }
    }

    /// kill -9.
    pub fn stop(&self) {
        drop(self.process().take());
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process().as_ref().map(Process::id)
    }

    /// The last lines of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let process = self.process();
        process
            .as_ref()
            .map(Process::last_words)
            .unwrap_or_default()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.stop();
        // They may not have been written.
        let _ = std::fs::remove_file(&self.kubeconfig);
        let _ = std::fs::remove_file(&self.log);
    }
}

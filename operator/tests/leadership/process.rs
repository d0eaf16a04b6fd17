//! One operator.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::api_server::ApiServer;

/// An operator; it is killed on drop.
pub struct Operator {
    child: Child,
    _folder: TempDir,
}

impl Operator {
    /// An operator that calls itself `name`, to the server too.
    pub fn start(server: &ApiServer, name: &str) -> Self {
        Self::start_at(server, name, "127.0.0.1:0")
    }

    /// The same, which serves probes at `address`.
    pub fn start_at(server: &ApiServer, name: &str, address: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let kubeconfig = folder.path().join("kubeconfig");
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": server.url(name)}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        });
        std::fs::write(&kubeconfig, config.to_string()).expect("written");
        let child = Command::new(env!("CARGO_BIN_EXE_docket-operator"))
            .args(["--api-image=api", "--collector-image=collector"])
            .arg("--lease-namespace=docket-system")
            .arg(format!("--listen={address}"))
            .arg(format!("--identity={name}"))
            .env("KUBECONFIG", &kubeconfig)
            .env("RUST_LOG", "off")
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .stdin(Stdio::null())
            .spawn()
            .expect("the operator starts");
        Self {
            child,
            _folder: folder,
        }
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// How it ended, within `patience`.
    pub async fn exit(&mut self, patience: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(start.elapsed() < patience, "it still runs");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A tenant with two clients, as the operator would make it.
#![allow(dead_code, reason = "each test binary uses a part of this")]

pub mod audit;
pub mod issuer;
pub mod marks;
pub mod postgres;
pub mod requests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use clap::Parser as _;
use docket_api_server::server::Listeners;
use docket_api_server::{App, Settings};
use docket_contract::{OWNER_OBJECT, hash_api_key};
use docket_instrumentation::{Registry, Service, Telemetry};
use docket_platform::tenant::Tenant;
use docket_schema::Identity;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

pub const CLIENTS: [&str; 2] = ["globex", "initech"];
pub const MAX_UPLOAD: usize = 20 * 1024 * 1024;

/// Spans and metrics are the process's, so all tests of a binary share them.
pub fn telemetry() -> &'static Telemetry {
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    TELEMETRY.get_or_init(|| {
        docket_instrumentation::init(Service {
            name: "document-api",
            version: "test",
            traces_per_second: None,
        })
        .expect("telemetry")
    })
}

/// A tenant's configuration and its folder of content.
pub struct Tenancy {
    pub config: Value,
    pub folder: TempDir,
}

impl Tenancy {
    /// The clients `globex` and `initech`, each with the key `<name>-key`, on a Postgres at `host`.
    pub fn new(host: &Path, name: &str, mode: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clients: Vec<Value> = CLIENTS
            .iter()
            .map(|client| {
                let identity = Identity::of("test", name, client);
                json!({
                    "name": client,
                    "schema": identity.schema,
                    "role": identity.role,
                    "password": password(client),
                    "apiKeyHashes": [hash_api_key(&format!("{client}-key")).0],
                })
            })
            .collect();
        let config = json!({
            "tenant": name,
            "namespace": "test",
            "database": {"host": host, "port": 5432, "dbname": "postgres", "sslMode": "disable"},
            "auth": {"mode": mode},
            "workloads": {"documents": {"storage": {"folder": {"path": folder.path().join("content")}}}},
            "clients": clients,
        });
        Self { config, folder }
    }

    pub fn without_database(mode: &str) -> Self {
        Self::new(Path::new("/nonexistent"), "acme", mode)
    }

    pub fn app(&self) -> Arc<App> {
        self.app_with(&[])
    }

    /// Path of the configuration file, as the operator would mount it.
    pub fn config_file(&self) -> PathBuf {
        let file = self.folder.path().join("tenant.json");
        std::fs::write(&file, self.config.to_string()).expect("written");
        file
    }

    /// An app with the telemetry of production.
    pub fn app_with(&self, flags: &[&str]) -> Arc<App> {
        self.app_on(flags, telemetry().registry().clone())
    }

    /// An app whose spans go wherever the test sends them.
    pub fn app_on(&self, flags: &[&str], registry: Registry) -> Arc<App> {
        self.app_or_refusal(flags, registry).expect("an app")
    }

    /// An app, or why there can be none.
    pub fn try_app(&self) -> anyhow::Result<Arc<App>> {
        self.app_or_refusal(&[], telemetry().registry().clone())
    }

    fn app_or_refusal(&self, flags: &[&str], registry: Registry) -> anyhow::Result<Arc<App>> {
        let (settings, tenant) = self.loaded(flags);
        App::new(&settings, tenant, registry)
    }

    /// What an app is made of.
    pub fn loaded(&self, flags: &[&str]) -> (Settings, Tenant) {
        docket_platform::install_crypto();
        let file = self.config_file();
        let tenant = Tenant::load(&file).expect("a tenant");
        let upload = format!("--max-upload-bytes={MAX_UPLOAD}");
        let flags = ["docket-api-server", &upload]
            .into_iter()
            .chain(flags.iter().copied());
        (Settings::parse_from(flags), tenant)
    }

    pub fn identity(&self, client: &str) -> Identity {
        Identity::of(
            "test",
            self.config["tenant"].as_str().expect("a name"),
            client,
        )
    }

    /// Number of objects of all clients, finished or not, but for those that say whose they are.
    pub fn objects(&self) -> usize {
        let content = self.folder.path().join("content");
        let schemas = std::fs::read_dir(content).expect("a folder");
        schemas
            .map(|schema| {
                let objects = std::fs::read_dir(schema.expect("a schema").path());
                let objects = objects.into_iter().flatten().flatten();
                objects.filter(|it| it.file_name() != OWNER_OBJECT).count()
            })
            .sum()
    }

    pub async fn content_becomes_empty(&self) {
        eventually("no content is left", async || self.objects() == 0).await;
    }
}

pub fn password(client: &str) -> String {
    format!("{client}'s password")
}

/// Listeners of a server, each at a port of its own.
pub async fn listeners() -> Listeners {
    let bind = async || TcpListener::bind("127.0.0.1:0").await.expect("a port");
    Listeners {
        api: bind().await,
        data_store: bind().await,
        operations: bind().await,
    }
}

/// Waits until `condition` holds.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reached)
        .await
        .unwrap_or_else(|_| panic!("never so: {what}"));
}

/// An answer with its body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends one request through all layers.
pub async fn send(router: &Router, mut request: Request<Body>) -> Answer {
    let host = HeaderValue::from_static("docket");
    request.headers_mut().entry(header::HOST).or_insert(host);
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes().to_vec();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

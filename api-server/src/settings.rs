//! Flags and environment variables.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use docket_documents::DocumentsSettings;
use docket_platform::tenant::Tenant;
use docket_platform::{MemoryBudget, PlatformSettings, ServiceInfo};

use crate::{VERSION, open_files, service_name};

/// The API and the data store of one Docket tenant.
///
/// The tenant's clients, database and workloads come from one JSON file, which the Docket operator
/// writes. S3 credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Telemetry goes to
/// OTEL_EXPORTER_OTLP_ENDPOINT when that is set; RUST_LOG filters the log and
/// DOCKET_LOG_FORMAT=text makes it readable.
#[derive(Clone, Debug, Parser)]
#[command(name = "docket-api-server", version)]
pub struct Settings {
    /// The tenant's configuration file.
    #[arg(long, env = "DOCKET_CONFIG", default_value = "/etc/docket/tenant.json")]
    pub config: PathBuf,

    /// Address of the API.
    #[arg(long, env = "DOCKET_LISTEN", default_value = "0.0.0.0:8000")]
    pub listen: SocketAddr,

    /// Address of the data store, for callers inside the tenant's namespace.
    #[arg(long, env = "DOCKET_DATA_STORE_LISTEN", default_value = "0.0.0.0:8001")]
    pub data_store_listen: SocketAddr,

    /// Largest file that may be uploaded, in bytes, unless the tenant's file says otherwise. A
    /// larger one is answered with 413.
    #[arg(long, env = "DOCKET_MAX_UPLOAD_BYTES", default_value_t = 5 * 1024 * 1024 * 1024)]
    pub max_upload_bytes: u64,

    /// Address of probes and metrics, over plain HTTP.
    #[arg(long, env = "DOCKET_OPERATIONS_LISTEN", default_value = "0.0.0.0:8002")]
    pub operations_listen: SocketAddr,

    /// Memory that the server and the process that reads files may take, in bytes. What it leaves beside
    /// the server itself is for connections, for uploads that are not yet in the object store, and for that
    /// process, a third each.
    #[arg(long, env = "DOCKET_MEMORY", default_value_t = 256 * 1024 * 1024, value_parser = clap::value_parser!(u64).range(MemoryBudget::LEAST..))]
    pub memory: u64,

    /// Time until a request has an answer's first byte, or a database statement its result; also
    /// the longest silence inside an upload. Streaming a large file may take longer. (For example
    /// 10s or 500ms.)
    #[arg(long, env = "DOCKET_REQUEST_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,

    /// Time until a connection has brought a whole request head, from its start or since the answer
    /// before; then it is closed. Also the time in which a caller must take something of an answer.
    #[arg(long, env = "DOCKET_IDLE_TIMEOUT", default_value = "30s", value_parser = humantime::parse_duration)]
    pub idle_timeout: Duration,

    /// In mode Jwt, time after which the issuer's keys are fetched again.
    #[arg(long, env = "DOCKET_JWKS_REFRESH", default_value = "5m", value_parser = humantime::parse_duration)]
    pub jwks_refresh: Duration,

    /// In mode Jwt, time between two fetches at least, however many tokens name unknown keys.
    #[arg(long, env = "DOCKET_JWKS_COOLDOWN", default_value = "10s", value_parser = humantime::parse_duration)]
    pub jwks_cooldown: Duration,

    /// In mode Jwt, age from which the issuer's keys are no longer believed while it cannot be reached: it may
    /// have withdrawn them. Tokens are then answered with 503.
    #[arg(long, env = "DOCKET_JWKS_MAX_AGE", default_value = "24h", value_parser = humantime::parse_duration)]
    pub jwks_max_age: Duration,

    /// Connections that the API and the data store hold open at once, each of them, if that is less than
    /// memory and open files allow; further ones wait.
    #[arg(long, env = "DOCKET_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: Option<u32>,

    /// Connections to Postgres that one client may read with at once.
    #[arg(long, env = "DOCKET_CONNECTIONS_PER_CLIENT", default_value_t = docket_contract::READS_PER_CLIENT, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub connections_per_client: u32,

    /// Connections to Postgres that one client may change something with at once.
    #[arg(long, env = "DOCKET_COMMITS_PER_CLIENT", default_value_t = docket_contract::COMMITS_PER_CLIENT, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub commits_per_client: u32,

    /// Connections to Postgres that all clients together may use at once.
    #[arg(long, env = "DOCKET_CONNECTIONS", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub connections: u32,

    /// Time between two rounds of what the server does by itself, such as ending what was in the trash
    /// for long enough.
    #[arg(long, env = "DOCKET_MAINTENANCE_INTERVAL", default_value = "10m", value_parser = humantime::parse_duration)]
    pub maintenance_interval: Duration,

    /// Age from which it is looked at whether a document refers to a content; an upload may take half of it.
    #[arg(long, env = "DOCKET_ORPHAN_GRACE", default_value = "24h", value_parser = humantime::parse_duration)]
    pub orphan_grace: Duration,

    /// Time that content to which no document refers stays after that was first seen.
    #[arg(long, env = "DOCKET_ORPHAN_WAIT", default_value = "7d", value_parser = humantime::parse_duration)]
    pub orphan_wait: Duration,

    /// The program that reads PDF and other files when its first argument says so; this one unless
    /// told.
    #[arg(long, env = "DOCKET_EXTRACTOR", hide = true)]
    pub extractor: Option<PathBuf>,

    /// Time between SIGTERM and the end of accepting, while /readyz already says no: what a load
    /// balancer needs to notice.
    #[arg(long, env = "DOCKET_DRAIN_DELAY", default_value = "3s", value_parser = humantime::parse_duration)]
    pub drain_delay: Duration,

    /// Time for requests in flight to finish after that.
    #[arg(long, env = "DOCKET_SHUTDOWN_GRACE", default_value = "20s", value_parser = humantime::parse_duration)]
    pub shutdown_grace: Duration,
}

/// Connections that each listener for callers holds at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connections {
    pub(crate) api: usize,
    pub(crate) data_store: usize,
}

impl Settings {
    pub(crate) fn platform(&self, tenant: &Tenant) -> PlatformSettings {
        PlatformSettings {
            service: ServiceInfo {
                name: service_name(tenant),
                version: VERSION,
            },
            memory: self.memory(tenant),
            request_timeout: self.request_timeout,
            max_connections: self.connections(tenant).api,
            jwks_refresh: self.jwks_refresh,
            jwks_cooldown: self.jwks_cooldown,
            jwks_max_age: self.jwks_max_age,
            connections_per_client: self.connections_per_client,
            commits_per_client: self.commits_per_client,
            connections: self.connections,
        }
    }

    fn memory(&self, tenant: &Tenant) -> MemoryBudget {
        MemoryBudget::of(self.memory, tenant.tls.is_some())
    }

    /// Connections that there is memory and are files for. The API has three quarters of them: callers of the
    /// data store are few, and keep theirs.
    pub(crate) fn connections(&self, tenant: &Tenant) -> Connections {
        let all = self.memory(tenant).connections;
        let all = all.min(open_files::for_connections());
        let asked = self
            .max_connections
            .map_or(usize::MAX, |most| most as usize);
        let data_store = (all / 4).max(1);
        Connections {
            api: asked.min((all - data_store).max(1)),
            data_store: asked.min(data_store),
        }
    }

    /// # Errors
    /// When it is not known which program this is.
    pub(crate) fn documents(&self) -> anyhow::Result<DocumentsSettings> {
        let extractor = match &self.extractor {
            Some(program) => program.clone(),
            None => std::env::current_exe().context("the path of this program is not known")?,
        };
        Ok(DocumentsSettings {
            max_upload_bytes: self.max_upload_bytes,
            orphan_grace: self.orphan_grace,
            orphan_wait: self.orphan_wait,
            extractor,
        })
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_are_consistent() {
        Settings::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit() {
        let delay = |text: &str| {
            let flags = ["docket-api-server", "--drain-delay", text];
            Settings::try_parse_from(flags).map(|settings| settings.drain_delay)
        };
        for (text, milliseconds) in [("500ms", 500), ("10s", 10_000), ("1m 30s", 90_000)] {
            let expected = Duration::from_millis(milliseconds);
            assert_eq!(delay(text).expect("a duration"), expected);
        }
        for wrong in ["10", "s", "", "-1s", "99999999999999999999s"] {
            assert!(delay(wrong).is_err(), "{wrong}");
        }
    }
}

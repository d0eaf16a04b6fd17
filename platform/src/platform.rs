//! What every workload stands on.

use std::sync::Arc;
use std::time::Duration;

use crate::MemoryBudget;
use crate::content_reads::ContentReads;
use crate::content_store::UploadMemory;
use crate::database::{Database, DatabaseSettings};
use crate::middleware::access::Access;
use crate::tenant::Tenant;
use crate::tokens::{Pace, TokenSigner};

/// What this program is called in telemetry, in Postgres and by `/health`.
#[derive(Clone, Copy, Debug)]
pub struct ServiceInfo {
    /// Such as `service.name` of OpenTelemetry.
    pub name: &'static str,
    /// Of the build.
    pub version: &'static str,
}

/// How much the parts of the platform may take, and how long.
#[derive(Clone, Copy, Debug)]
pub struct PlatformSettings {
    /// Who asks Postgres, and answers probes.
    pub service: ServiceInfo,
    /// What may be held in memory.
    pub memory: MemoryBudget,
    /// Time until an answer's first byte, or a statement's result.
    pub request_timeout: Duration,
    /// Time after which an issuer's keys are fetched again.
    pub jwks_refresh: Duration,
    /// Time between two fetches of them at least.
    pub jwks_cooldown: Duration,
    /// Age from which they are no longer believed.
    pub jwks_max_age: Duration,
    /// Connections of callers that the listener of the API holds at once.
    pub max_connections: usize,
    /// Connections to Postgres that a client may read with at once.
    pub connections_per_client: u32,
    /// Connections to Postgres that a client may change something with at once.
    pub commits_per_client: u32,
    /// Connections to Postgres of all clients at once.
    pub connections: u32,
}

/// What one of so many clients may have of `all`: others find at least half of it, whatever one does.
#[must_use]
pub fn share(all: usize, clients: usize) -> usize {
    match clients {
        0 | 1 => all,
        _ => (all / 2).max(1),
    }
}

/// What every workload stands on; a clone is the same platform.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Who asks Postgres, and answers probes.
    pub service: ServiceInfo,
    /// Whose clients are served.
    pub tenant: Arc<Tenant>,
    /// Who of them may call, and how often.
    pub access: Arc<Access>,
    /// Where their rows are.
    pub database: Arc<Database>,
    /// Where workloads tell one another of contents that are read.
    pub content_reads: Arc<ContentReads>,
    /// What may be held in memory.
    pub memory: MemoryBudget,
    /// What all that is on its way to a store of content may take of the memory.
    pub upload_memory: UploadMemory,
    /// Time until an answer's first byte, or a statement's result.
    pub request_timeout: Duration,
}

impl Platform {
    /// Begins to fetch the keys of an issuer of tokens, for which it needs a Tokio runtime; the database is
    /// reached on first use.
    ///
    /// # Errors
    /// When the issuer of the tenant makes no sense.
    pub fn new(tenant: Arc<Tenant>, settings: PlatformSettings) -> anyhow::Result<Self> {
        let timeout = settings.request_timeout;
        let pace = Pace {
            usual: settings.jwks_refresh,
            least: settings.jwks_cooldown,
            longest: settings.jwks_max_age,
            patience: timeout / 2,
        };
        let database = DatabaseSettings {
            reads_per_client: settings.connections_per_client,
            commits_per_client: settings.commits_per_client,
            connections: settings.connections,
            deadline: timeout,
            application_name: settings.service.name,
        };
        let clients = tenant.clients().len();
        let most_at_once = share(settings.max_connections, clients);
        crate::memory::observe();
        Ok(Self {
            service: settings.service,
            memory: settings.memory,
            upload_memory: UploadMemory::of(settings.memory.uploads, timeout, clients),
            database: Arc::new(Database::new(database, &tenant)),
            content_reads: Arc::default(),
            access: Arc::new(Access::new(tenant.clone(), timeout, most_at_once, pace)?),
            request_timeout: timeout,
            tenant,
        })
    }

    /// Signs tokens for those whom a workload logs in, where the tenant issues tokens of its own.
    pub fn token_signer(&self) -> Option<TokenSigner> {
        self.access.own_issuer.clone().map(TokenSigner::new)
    }
}

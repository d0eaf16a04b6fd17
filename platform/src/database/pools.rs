//! One pool a client, opened on first use, and one cap over all of them.

use std::collections::HashMap;
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use docket_contract::SslMode;
use docket_instrumentation::restart_after_panics;
use secrecy::ExposeSecret as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::client_pool::{ClientPool, Connection, PerClient, Purpose};
use super::metrics::Metrics;
use super::server_address::ServerAddress;
use crate::error::Error;
use crate::platform::share;
use crate::tenant::{Client, Tenant};

/// A connection that nobody used for this long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// An old connection is replaced, so that memory in Postgres and failovers do not linger.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
const COOLING: Duration = Duration::from_secs(1);
/// Longest wait for a connection that others use: past it, telling the caller to retry is kinder.
const TURN: Duration = Duration::from_secs(2);

/// How many connections there may be, and how long a statement may take.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseSettings {
    /// Of one client at once, to read with.
    pub reads_per_client: u32,
    /// Of one client at once, to change something with.
    pub commits_per_client: u32,
    /// Of all clients together; half of them are more than one client ever has where there are several.
    pub connections: u32,
    /// That of a request.
    pub deadline: Duration,
    /// As Postgres shows it of each connection.
    pub application_name: &'static str,
}

/// All clients' connections.
#[derive(Debug)]
pub struct Database {
    address: docket_contract::Database,
    per_client: PerClient,
    deadline: Duration,
    application_name: &'static str,
    in_use: Arc<Semaphore>,
    pools: Arc<Pools>,
    pub(super) metrics: Metrics,
}

/// The pools by schema.
#[derive(Debug)]
pub struct Pools {
    by_schema: HashMap<String, OnceLock<Arc<ClientPool>>>,
    cooling: Once,
    max: u64,
}

/// How many connections there are, and may be.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub idle: u64,
    pub used: u64,
    pub max: u64,
}

impl Pools {
    pub fn count(&self) -> Count {
        let open = self.by_schema.values().filter_map(OnceLock::get);
        let (idle, size) = open.fold((0, 0), |(idle, size), pool| {
            let (pool_idle, pool_size) = pool.count();
            (idle + pool_idle, size + pool_size)
        });
        Count {
            idle,
            used: size.saturating_sub(idle),
            max: self.max,
        }
    }

    /// Gives warm connections back once a second, for as long as the pools live.
    fn cool_from_now_on(self: &Arc<Self>) {
        let pools = Arc::downgrade(self);
        self.cooling.call_once(|| {
            tokio::spawn(restart_after_panics("cooling", move || {
                let pools = pools.clone();
                async move {
                    loop {
                        tokio::time::sleep(COOLING).await;
                        let Some(pools) = pools.upgrade() else { return };
                        let open = pools.by_schema.values().filter_map(OnceLock::get);
                        open.for_each(|pool| pool.cool());
                    }
                }
            }));
        });
    }
}

impl Database {
    /// That of `tenant`; each pool is opened on first use.
    pub fn new(settings: DatabaseSettings, tenant: &Tenant) -> Self {
        let pools = Arc::new(Pools {
            by_schema: tenant
                .clients()
                .map(|client| (client.schema.clone(), OnceLock::new()))
                .collect(),
            cooling: Once::new(),
            max: u64::from(settings.connections),
        });
        Self {
            address: tenant.database.clone(),
            per_client: PerClient {
                reads: settings.reads_per_client,
                commits: settings.commits_per_client,
                share: share(settings.connections as usize, tenant.clients().len()),
            },
            deadline: settings.deadline,
            application_name: settings.application_name,
            in_use: Arc::new(Semaphore::new(settings.connections as usize)),
            metrics: Metrics::new(Arc::downgrade(&pools)),
            pools,
        }
    }

    /// A connection as `client`: within two seconds when all are in use, else as soon as a login on a
    /// busy server is done, within the deadline of a request (ADR 0031).
    pub async fn connection(&self, client: &Client) -> Result<Connection, Error> {
        self.open(client, Purpose::Read).await
    }

    /// The same for a change that a caller waits for.
    pub async fn connection_to_commit(&self, client: &Client) -> Result<Connection, Error> {
        self.open(client, Purpose::Commit).await
    }

    /// The same to ask whether `client` is served, however many requests of the client wait.
    pub(super) async fn connection_to_check(&self, client: &Client) -> Result<Connection, Error> {
        self.open(client, Purpose::Check).await
    }

    async fn open(&self, client: &Client, purpose: Purpose) -> Result<Connection, Error> {
        let span = tracing::info_span!(
            "database_connection",
            otel.kind = "client",
            db.system.name = "postgresql",
            db.namespace = client.schema,
            server.address = self.address.host,
        );
        self.acquire(client, purpose).instrument(span).await
    }

    /// `work`, cut off at the request's deadline.
    pub fn within_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        let limit = self.deadline;
        // Some kilobytes, which would be copied each time that one of the futures around them is moved.
        let work = Box::pin(work);
        async move {
            let done = tokio::time::timeout(limit, work).await;
            done.unwrap_or(Err(Error::Deadline(limit)))
        }
    }

    async fn acquire(&self, client: &Client, purpose: Purpose) -> Result<Connection, Error> {
        // A check waits for another check only, which says nothing of what requests have.
        let exhausted = |_: &Error| {
            if purpose != Purpose::Check {
                self.metrics.timed_out();
            }
        };
        let pool = self.pool(client)?;
        let turn = pool.turn(purpose, &self.in_use, TURN).await;
        pool.connection(turn.inspect_err(exhausted)?).await
    }

    fn pool(&self, client: &Client) -> Result<&Arc<ClientPool>, Error> {
        let slot = self.pools.by_schema.get(&client.schema);
        let slot = slot.ok_or(Error::NotFound("client"))?;
        Ok(slot.get_or_init(|| {
            self.pools.cool_from_now_on();
            let server = ServerAddress::new(&self.address.host, self.address.port);
            let pool = ClientPool::new(self.pool_of(client), server, self.per_client);
            Arc::new(pool)
        }))
    }

    fn pool_of(&self, client: &Client) -> PgPool {
        let timeout = format!("{}ms", self.deadline.as_millis());
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.address.host)
            .port(self.address.port)
            .database(&self.address.dbname)
            .username(&client.role)
            .password(client.password.expose_secret())
            .ssl_mode(ssl_mode(self.address.ssl_mode))
            .application_name(self.application_name)
            .options([("statement_timeout", timeout)]);
        PgPoolOptions::new()
            .max_connections(self.per_client.all())
            .acquire_timeout(self.deadline)
            .idle_timeout(IDLE)
            .max_lifetime(LIFETIME)
            .connect_lazy_with(options)
    }
}

const fn ssl_mode(mode: SslMode) -> PgSslMode {
    match mode {
        SslMode::Disable => PgSslMode::Disable,
        SslMode::Prefer => PgSslMode::Prefer,
        SslMode::Require => PgSslMode::Require,
        SslMode::VerifyCa => PgSslMode::VerifyCa,
        SslMode::VerifyFull => PgSslMode::VerifyFull,
    }
}

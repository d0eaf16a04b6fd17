//! One pool a client, opened on first use, and one cap over all of them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use docket_contract::SslMode;
use secrecy::ExposeSecret as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{PgConnection, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::metrics::Metrics;
use crate::error::Error;
use crate::tenant::Client;
use crate::{Settings, Tenant};

/// A connection that nobody used for this long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// An old connection is replaced, so that memory in Postgres and failovers do not linger.
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// Longest wait for a connection: past it, telling the caller to retry is kinder.
const ACQUIRE: Duration = Duration::from_secs(2);

/// All clients' connections.
#[derive(Debug)]
pub(crate) struct Database {
    address: docket_contract::Database,
    per_client: u32,
    deadline: Duration,
    in_use: Arc<Semaphore>,
    pools: Arc<Pools>,
    pub(super) metrics: Metrics,
}

/// The pools by schema.
#[derive(Debug)]
pub(crate) struct Pools {
    by_schema: HashMap<String, OnceLock<PgPool>>,
    max: u64,
}

/// How many connections there are, and may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    pub(crate) idle: u64,
    pub(crate) used: u64,
    pub(crate) max: u64,
}

impl Pools {
    pub(crate) fn count(&self) -> Count {
        let open = self.by_schema.values().filter_map(OnceLock::get);
        let (idle, size) = open.fold((0, 0), |(idle, size), pool| {
            (idle + pool.num_idle() as u64, size + u64::from(pool.size()))
        });
        Count {
            idle,
            used: size.saturating_sub(idle),
            max: self.max,
        }
    }
}

/// Longest wait for a connection to show, when it is given back, that it can be used again.
const GIVEN_BACK: Duration = Duration::from_secs(1);

/// A client's connection; given back on drop.
pub(crate) struct Connection {
    connection: PoolConnection<Postgres>,
    ends: bool,
    _in_use: OwnedSemaphorePermit,
}

impl Connection {
    pub(crate) fn as_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Ends it, instead of giving it back for the next.
    pub(crate) fn end(mut self) {
        self.ends = true;
    }
}

impl Drop for Connection {
    /// A statement that was cut off leaves a connection that may never answer again: if the server's
    /// machine is gone, TCP notices after a quarter of an hour. Until then it would fill the pool.
    fn drop(&mut self) {
        if self.ends {
            self.connection.close_on_drop();
            return;
        }
        let given_back = self.connection.return_to_pool();
        tokio::spawn(tokio::time::timeout(GIVEN_BACK, given_back));
    }
}

impl Database {
    pub(crate) fn new(settings: &Settings, tenant: &Tenant) -> Self {
        let pools = Arc::new(Pools {
            by_schema: tenant
                .clients()
                .map(|client| (client.schema.clone(), OnceLock::new()))
                .collect(),
            max: u64::from(settings.connections),
        });
        Self {
            address: tenant.database.clone(),
            per_client: settings.connections_per_client,
            deadline: settings.request_timeout,
            in_use: Arc::new(Semaphore::new(settings.connections as usize)),
            metrics: Metrics::new(Arc::downgrade(&pools)),
            pools,
        }
    }

    /// A connection as `client`, within two seconds.
    pub(crate) async fn connection(&self, client: &Client) -> Result<Connection, Error> {
        let span = tracing::info_span!(
            "database_connection",
            otel.kind = "client",
            db.system.name = "postgresql",
            db.namespace = client.schema,
            server.address = self.address.host,
        );
        self.acquire(client).instrument(span).await
    }

    /// `work`, cut off at the request's deadline.
    pub(crate) async fn within_deadline<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let limit = self.deadline;
        tokio::time::timeout(limit, work)
            .await
            .unwrap_or(Err(Error::Deadline(limit)))
    }

    async fn acquire(&self, client: &Client) -> Result<Connection, Error> {
        let full = || Error::from(sqlx::Error::PoolTimedOut);
        let in_use = tokio::time::timeout(ACQUIRE, self.in_use.clone().acquire_owned())
            .await
            .map_err(|_| full())?
            .map_err(|_| full())?;
        let connection = self.pool(client)?.acquire().await?;
        Ok(Connection {
            connection,
            ends: false,
            _in_use: in_use,
        })
    }

    fn pool(&self, client: &Client) -> Result<&PgPool, Error> {
        let slot = self.pools.by_schema.get(&client.schema);
        let slot = slot.ok_or(Error::NotFound("client"))?;
        Ok(slot.get_or_init(|| self.open(client)))
    }

    fn open(&self, client: &Client) -> PgPool {
        let timeout = format!("{}ms", self.deadline.as_millis());
        let options = PgConnectOptions::new_without_pgpass()
            .host(&self.address.host)
            .port(self.address.port)
            .database(&self.address.dbname)
            .username(&client.role)
            .password(client.password.expose_secret())
            .ssl_mode(ssl_mode(self.address.ssl_mode))
            .application_name(crate::SERVICE)
            .options([("statement_timeout", timeout)]);
        PgPoolOptions::new()
            .max_connections(self.per_client)
            .acquire_timeout(ACQUIRE.min(self.deadline))
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

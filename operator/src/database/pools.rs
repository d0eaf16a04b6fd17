//! One small pool for each database, shared by the tenants that use it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::postgres::PgPoolOptions;
use sqlx_core::net::set_largest_answer;

use super::sessions::Sessions;
use super::shares::Shares;
use super::{AdminConnection, Answer, Database};
use crate::error::Error;
use crate::leadership::fence::Fence;
use crate::monitoring::metrics::Metrics;

const CONNECTIONS: u32 = 8;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for an answer to the question whether a database can be used.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of an answer to one statement: those of a hundred clients, the most that a tenant has, take a quarter of them.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// Those who reconcile at a time, unless somebody says it.
const WORKERS: u16 = 16;

/// A pool that nobody used for this long is forgotten: steady tenants come back four times an hour.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
struct UsedPool {
    sessions: Sessions,
    used: Instant,
}

/// The databases that tenants use, opened on first use.
#[derive(Debug)]
pub struct Databases {
    pools: Mutex<HashMap<String, UsedPool>>,
    metrics: Metrics,
    fence: Fence,
    deadline: Duration,
    shares: Shares,
}

impl Databases {
    /// Databases whose work is counted in `metrics`, that change only while `fence` is open, and in
    /// which nothing may take longer than `deadline`.
    /// Their answers are bounded, as those of all connections of the process.
    #[must_use]
    pub fn new(metrics: Metrics, fence: Fence, deadline: Duration) -> Self {
        set_largest_answer(LARGEST_ANSWER);
        Self {
            pools: Mutex::default(),
            metrics,
            fence,
            deadline,
            shares: Shares::of(WORKERS),
        }
    }

    /// The same where so many reconcile at a time.
    #[must_use]
    pub fn shared_by(self, workers: u16) -> Self {
        Self {
            shares: Shares::of(workers),
            ..self
        }
    }

    /// The database of `connection`, its registry made where it lacks.
    ///
    /// # Errors
    /// Transient ones: the server does not answer or refuses.
    pub async fn open(&self, connection: &AdminConnection) -> Result<Database, Error> {
        let sessions = self.sessions(connection);
        if !sessions.has_registry() {
            ensure_registry(&sessions).await?;
            sessions.found_registry();
        }
        Ok(self.database(sessions, docket_schema::READ_CLIENTS))
    }

    /// The database of `connection` as it is, to look at it only.
    ///
    /// # Errors
    /// As [`Databases::open`].
    pub async fn look(&self, connection: &AdminConnection) -> Result<Database, Error> {
        let sessions = self.sessions(connection);
        let read_clients = match sessions.has_registry() || has_registry(&sessions).await? {
            true => docket_schema::READ_CLIENTS,
            false => docket_schema::READ_UNREGISTERED,
        };
        Ok(self.database(sessions, read_clients))
    }

    /// Asks the database of `connection` whether it can be used; nothing where all sessions with it are in use.
    pub async fn ask(&self, connection: &AdminConnection) -> Option<Answer> {
        let sessions = self.sessions(connection);
        sessions.ask(PATIENCE).await
    }

    /// The sessions of `connection`, shared by all who use it; forgets those of credentials that nobody
    /// uses any more.
    fn sessions(&self, connection: &AdminConnection) -> Sessions {
        let mut pools = self.pools.lock();
        pools.retain(|_, known| known.used.elapsed() < FORGOTTEN);
        let known = pools.entry(connection.key()).or_insert_with(|| UsedPool {
            sessions: self.new_sessions(connection),
            used: Instant::now(),
        });
        known.used = Instant::now();
        known.sessions.clone()
    }

    fn new_sessions(&self, connection: &AdminConnection) -> Sessions {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(IDLE_TIMEOUT)
            .connect_lazy_with(connection.options());
        Sessions::new(pool, self.fence.clone(), self.deadline, self.shares.clone())
    }

    fn database(&self, sessions: Sessions, read_clients: &'static str) -> Database {
        Database {
            sessions,
            metrics: self.metrics.clone(),
            read_clients,
        }
    }
}

async fn ensure_registry(sessions: &Sessions) -> Result<(), Error> {
    // What came last: where it is, all is.
    if !has_registry(sessions).await? {
        let script = docket_schema::BOOTSTRAP.to_owned();
        sessions.run_script(script).await?;
    }
    Ok(())
}

async fn has_registry(sessions: &Sessions) -> Result<bool, Error> {
    sessions
        .survey(async |connection| {
            sqlx::query_scalar("SELECT to_regclass('docket.deleted_clients') IS NOT NULL")
                .fetch_one(connection)
                .await
        })
        .await
}

//! One small pool for each database, shared by the tenants that use it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::{AdminConnection, Database, failure, run_script};
use crate::error::Error;
use crate::fence::Fence;
use crate::metrics::Metrics;

const CONNECTIONS: u32 = 8;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A pool that nobody used for this long is forgotten: steady tenants come back four times an hour.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
struct Known {
    pool: PgPool,
    used: Instant,
}

/// The databases that tenants use, opened on first use.
#[derive(Debug)]
pub struct Databases {
    pools: Mutex<HashMap<String, Known>>,
    metrics: Metrics,
    fence: Fence,
}

impl Databases {
    /// Databases whose work is counted in `metrics`, and that change only while `fence` is open.
    #[must_use]
    pub fn new(metrics: Metrics, fence: Fence) -> Self {
        Self {
            pools: Mutex::default(),
            metrics,
            fence,
        }
    }

    /// The database of `connection`, its registry made on first use.
    ///
    /// # Errors
    /// Transient ones: the server does not answer or refuses.
    pub async fn open(&self, connection: &AdminConnection) -> Result<Database, Error> {
        let key = connection.key();
        let pool = match self.known(&key) {
            Some(pool) => pool,
            None => {
                let pool = pool(connection);
                if let Err(error) = self.ensure_registry(&pool).await {
                    return Err(failure::explain(&pool, error).await);
                }
                self.keep(key, pool)
            }
        };
        Ok(self.database(pool, docket_schema::READ_CLIENTS))
    }

    /// The database of `connection` as it is, to look at it only.
    ///
    /// # Errors
    /// As [`Databases::open`].
    pub async fn look(&self, connection: &AdminConnection) -> Result<Database, Error> {
        if let Some(pool) = self.known(&connection.key()) {
            return Ok(self.database(pool, docket_schema::READ_CLIENTS));
        }
        let pool = pool(connection);
        let read_clients = match has_registry(&pool).await {
            Ok(true) => docket_schema::READ_CLIENTS,
            Ok(false) => docket_schema::READ_UNREGISTERED,
            Err(error) => return Err(failure::explain(&pool, error).await),
        };
        Ok(self.database(pool, read_clients))
    }

    async fn ensure_registry(&self, pool: &PgPool) -> sqlx::Result<()> {
        if !has_registry(pool).await? {
            run_script(pool, &self.fence, docket_schema::BOOTSTRAP.to_owned()).await?;
        }
        Ok(())
    }

    /// The pool of `key`, which may have been made by another meanwhile; forgets those of credentials
    /// that nobody uses any more.
    fn keep(&self, key: String, pool: PgPool) -> PgPool {
        let mut pools = self.pools.lock().expect("no holder of this lock panics");
        pools.retain(|_, known| known.used.elapsed() < FORGOTTEN);
        let used = Instant::now();
        let known = pools.entry(key).or_insert(Known { pool, used });
        known.pool.clone()
    }

    fn known(&self, key: &str) -> Option<PgPool> {
        let mut pools = self.pools.lock().expect("no holder of this lock panics");
        let known = pools.get_mut(key)?;
        known.used = Instant::now();
        Some(known.pool.clone())
    }

    fn database(&self, pool: PgPool, read_clients: &'static str) -> Database {
        Database {
            pool,
            metrics: self.metrics.clone(),
            fence: self.fence.clone(),
            read_clients,
        }
    }
}

fn pool(connection: &AdminConnection) -> PgPool {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .connect_lazy_with(connection.options())
}

async fn has_registry(pool: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT to_regclass('docket.clients') IS NOT NULL")
        .fetch_one(pool)
        .await
}

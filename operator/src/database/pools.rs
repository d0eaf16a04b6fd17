//! One small pool for each database, shared by the tenants that use it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::{AdminConnection, Database, failure, run_script};
use crate::error::Error;
use crate::metrics::Metrics;

const CONNECTIONS: u32 = 8;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The databases that tenants use, opened on first use.
#[derive(Debug, Default)]
pub struct Databases {
    pools: Mutex<HashMap<String, PgPool>>,
    metrics: Metrics,
}

impl Databases {
    /// Databases whose work is counted in `metrics`.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            ..Self::default()
        }
    }

    /// The database of `connection`, its registry made on first use.
    ///
    /// # Errors
    /// Transient ones: the server does not answer or refuses.
    pub async fn open(&self, connection: &AdminConnection) -> Result<Database, Error> {
        let key = connection.key();
        let known = self
            .pools
            .lock()
            .expect("no holder of this lock panics")
            .get(&key)
            .cloned();
        let pool = match known {
            Some(pool) => pool,
            None => {
                let pool = PgPoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .idle_timeout(IDLE_TIMEOUT)
                    .connect_lazy_with(connection.options());
                ensure_registry(&pool).await.map_err(failure::explain)?;
                self.pools
                    .lock()
                    .expect("no holder of this lock panics")
                    .entry(key)
                    .or_insert(pool)
                    .clone()
            }
        };
        Ok(Database {
            pool,
            metrics: self.metrics.clone(),
        })
    }
}

/// Makes the registry where it is missing; reads only where it is there.
async fn ensure_registry(pool: &PgPool) -> sqlx::Result<()> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('docket.clients') IS NOT NULL")
        .fetch_one(pool)
        .await?;
    if !exists {
        run_script(pool, docket_schema::BOOTSTRAP.to_owned()).await?;
    }
    Ok(())
}

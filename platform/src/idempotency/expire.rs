//! Forgetting keys.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::TABLE;
use crate::database::{Database, Statement, arguments};
use crate::error::Error;
use crate::maintenance::Task;
use crate::tenant::Client;

const EXPIRE: Statement = Statement {
    operation: "DELETE",
    table: TABLE,
    sql: "DELETE FROM idempotency_keys WHERE key IN (\
            SELECT key FROM idempotency_keys \
            WHERE created_at < now() - interval '24 hours' AND leased_until < now() \
            ORDER BY created_at LIMIT 1000\
          ) RETURNING key",
};

/// Forgets keys that nobody will send again.
#[derive(Debug)]
pub struct Expire(Arc<Database>);

impl Expire {
    /// Of the clients in `database`.
    pub fn new(database: Arc<Database>) -> Self {
        Self(database)
    }

    /// Removes up to a thousand keys of `client` that are older than 24 hours and not in use, and tells
    /// how many.
    ///
    /// # Errors
    /// When the database is away, or slower than a request's deadline.
    pub async fn expire(&self, client: &Client) -> anyhow::Result<usize> {
        let database = &self.0;
        let work = async {
            let mut connection = database.connection(client).await?;
            let gone = EXPIRE
                .fetch_all(database, connection.as_mut(), arguments().end())
                .await?;
            Ok::<_, Error>(gone.len())
        };
        Ok(database.within_deadline(work).await?)
    }
}

impl Task for Expire {
    fn name(&self) -> &'static str {
        "expire"
    }

    fn run<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, anyhow::Result<()>> {
        let work = async {
            while self.expire(client).await? > 0 {
                tokio::task::yield_now().await;
            }
            Ok(())
        };
        work.boxed()
    }
}

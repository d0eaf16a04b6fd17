//! Counting anew what a client uses.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::Row as _;

use super::{Counters, TABLE};
use crate::database::{Database, Statement, Transaction, arguments};
use crate::error::Error;
use crate::maintenance::{DAY, Task};
use crate::tenant::Client;

/// Whoever charges waits, and whoever has charged is waited for. Readers go on.
const LOCK: Statement = Statement {
    operation: "LOCK",
    table: TABLE,
    sql: "LOCK TABLE usage IN EXCLUSIVE MODE",
};

const CORRECT: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: "WITH stored AS (\
            SELECT * FROM unnest($1::text[], $2::bigint[]) AS stored (counter, amount)\
          ), used AS (\
            SELECT counter, sum(amount) AS amount FROM usage GROUP BY counter\
          ) \
          UPDATE usage AS own SET amount = CASE own.slot WHEN 0 THEN stored.amount ELSE 0 END \
          FROM stored JOIN used USING (counter) \
          WHERE own.counter = stored.counter AND used.amount <> stored.amount \
          RETURNING own.slot",
};

/// Makes the use of a client what the workloads store.
#[derive(Debug)]
pub struct Recount {
    database: Arc<Database>,
    counters: Vec<&'static Counters>,
}

impl Recount {
    /// Of `counters`.
    pub fn new(database: Arc<Database>, counters: Vec<&'static Counters>) -> Self {
        Self { database, counters }
    }

    /// Tells whether it was something else.
    ///
    /// # Errors
    /// When the database is away, or slower than a request's deadline.
    pub async fn recount(&self, client: &Client) -> anyhow::Result<bool> {
        let database = &self.database;
        let work = async {
            let mut connection = database.connection(client).await?;
            let mut transaction = Transaction::begin(&mut connection, TABLE).await?;
            LOCK.fetch_optional(database, transaction.as_mut(), arguments().end())
                .await?;
            // Each statement sees what was committed before it, and with the lock nobody charges.
            let (mut names, mut amounts) = (Vec::new(), Vec::new());
            for counters in &self.counters {
                let stored = counters
                    .stored
                    .fetch_optional(database, transaction.as_mut(), arguments().end())
                    .await?;
                let stored = stored.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
                for name in counters.names() {
                    names.push(name);
                    amounts.push(stored.try_get::<i64, _>(name)?);
                }
            }
            let stored = arguments().with(names)?.with(amounts)?.end();
            let changed = CORRECT
                .fetch_all(database, transaction.as_mut(), stored)
                .await?;
            transaction.commit().await?;
            Ok::<_, Error>(!changed.is_empty())
        };
        Ok(database.within_deadline(work).await?)
    }
}

impl Task for Recount {
    fn name(&self) -> &'static str {
        "recount"
    }

    fn period(&self) -> Duration {
        DAY
    }

    fn run<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, anyhow::Result<()>> {
        let work = async {
            if self.recount(client).await? {
                tracing::warn!(
                    client = client.name,
                    "what the client uses was counted wrong, and is right again"
                );
            }
            Ok(())
        };
        work.boxed()
    }
}

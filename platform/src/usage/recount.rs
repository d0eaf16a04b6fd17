//! Counting anew what a client uses.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::Row as _;

use super::{TABLE, Usage};
use crate::database::{Database, Statement, Transaction, arguments};
use crate::error::Error;
use crate::maintenance::{DAY, Task};
use crate::tenant::Client;

/// Whoever charges waits, and whoever has charged is waited for. Readers go on.
const LOCK: Statement = Statement {
    operation: "LOCK",
    table: TABLE,
    sql: "LOCK TABLE client_usage IN EXCLUSIVE MODE",
};

const CORRECT: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: "WITH used AS (\
            SELECT sum(documents) AS documents, sum(bytes) AS bytes FROM client_usage\
          ) \
          UPDATE client_usage \
          SET documents = CASE slot WHEN 0 THEN $1::bigint ELSE 0 END, \
            bytes = CASE slot WHEN 0 THEN $2::bigint ELSE 0 END \
          FROM used \
          WHERE (used.documents, used.bytes) IS DISTINCT FROM ($1::bigint, $2::bigint) \
          RETURNING slot",
};

/// Makes the use of a client what the workloads store. A server of schema version 2 stores without
/// counting, and both run during a rollout.
#[derive(Debug)]
pub struct Recount {
    database: Arc<Database>,
    /// Each counts what one workload stores.
    stored: Vec<&'static Statement>,
}

impl Recount {
    /// Of what the statements `stored` count: each brings one row with `documents` and `bytes`.
    pub fn new(database: Arc<Database>, stored: Vec<&'static Statement>) -> Self {
        Self { database, stored }
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
            let mut sum = Usage::default();
            for statement in &self.stored {
                let counted = statement
                    .fetch_optional(database, transaction.as_mut(), arguments().end())
                    .await?;
                let counted = counted.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
                sum.documents += counted.try_get::<i64, _>("documents")?;
                sum.bytes += counted.try_get::<i64, _>("bytes")?;
            }
            let sum = arguments().with(sum.documents)?.with(sum.bytes)?.end();
            let changed = CORRECT
                .fetch_all(database, transaction.as_mut(), sum)
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

//! Transactions whose commit has a span.

use sqlx::{Connection as _, PgConnection, Postgres};
use tracing::{Instrument as _, Span};

use super::client_pool::Connection;
use crate::error::Error;

/// All or nothing; dropped without [`commit`](Self::commit) it is rolled back.
pub struct Transaction<'c> {
    transaction: sqlx::Transaction<'c, Postgres>,
    table: &'static str,
}

impl<'c> Transaction<'c> {
    /// `table` is what the commit is about, in its span.
    pub async fn begin(connection: &'c mut Connection, table: &'static str) -> Result<Self, Error> {
        Ok(Self {
            transaction: connection.as_mut().begin().await?,
            table,
        })
    }

    /// Past this call an error no longer means that nothing was changed.
    pub async fn commit(self) -> Result<(), Error> {
        let span = commit_of(self.table);
        Ok(self.transaction.commit().instrument(span).await?)
    }
}

impl AsMut<PgConnection> for Transaction<'_> {
    /// For statements that are a part of it.
    fn as_mut(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// Runs a statement outside of any transaction, so that it commits with its own round trip.
pub async fn commits_itself<T>(table: &'static str, statement: impl Future<Output = T>) -> T {
    statement.instrument(commit_of(table)).await
}

fn commit_of(table: &'static str) -> Span {
    tracing::info_span!(
        "transaction_commit",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.operation.name = "COMMIT",
        db.collection.name = table,
    )
}

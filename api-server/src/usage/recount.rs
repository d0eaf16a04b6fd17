//! Counting anew what a client uses.

use super::TABLE;
use crate::App;
use crate::database::{Statement, Transaction, arguments};
use crate::error::Error;
use crate::tenant::Client;

/// Whoever charges waits, and whoever has charged is waited for. Readers go on.
const LOCK: Statement = Statement {
    operation: "LOCK",
    table: TABLE,
    sql: "LOCK TABLE client_usage IN EXCLUSIVE MODE",
};

const RECOUNT: Statement = Statement {
    operation: "UPDATE",
    table: TABLE,
    sql: "WITH used AS (\
            SELECT sum(documents) AS documents, sum(bytes) AS bytes FROM client_usage\
          ), stored AS (\
            SELECT count(*) FILTER (WHERE present) AS documents, \
              coalesce(sum(file_size), 0) AS bytes \
            FROM (SELECT file_size, true AS present FROM document_metadata \
              UNION ALL SELECT file_size, false FROM document_versions) AS content\
          ) \
          UPDATE client_usage \
          SET documents = CASE slot WHEN 0 THEN stored.documents ELSE 0 END, \
            bytes = CASE slot WHEN 0 THEN stored.bytes ELSE 0 END \
          FROM used, stored \
          WHERE (used.documents, used.bytes) IS DISTINCT FROM (stored.documents, stored.bytes) \
          RETURNING slot",
};

/// Makes the use of `client` what its documents and their versions are, and tells whether it was
/// not. A server of schema version 2 stores without counting, and both run during a rollout.
///
/// # Errors
/// When the database is away, or slower than a request's deadline.
pub async fn recount_usage(app: &App, client: &Client) -> anyhow::Result<bool> {
    let database = &app.database;
    let work = async {
        let mut connection = database.connection(client).await?;
        let mut transaction = Transaction::begin(&mut connection, TABLE).await?;
        LOCK.fetch_optional(database, transaction.as_mut(), arguments().end())
            .await?;
        let changed = RECOUNT
            .fetch_all(database, transaction.as_mut(), arguments().end())
            .await?;
        transaction.commit().await?;
        Ok::<_, Error>(!changed.is_empty())
    };
    Ok(database.within_deadline(work).await?)
}

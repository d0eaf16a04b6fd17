//! Forgetting keys.

use super::TABLE;
use crate::App;
use crate::database::{Statement, arguments};
use crate::error::Error;
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

/// Removes up to a thousand keys of `client` that are older than 24 hours and not in use, and tells
/// how many.
///
/// # Errors
/// When the database is away, or slower than a request's deadline.
pub async fn expire_idempotency_keys(app: &App, client: &Client) -> anyhow::Result<usize> {
    let database = &app.database;
    let work = async {
        let mut connection = database.connection(client).await?;
        let gone = EXPIRE
            .fetch_all(database, connection.as_mut(), arguments().end())
            .await?;
        Ok::<_, Error>(gone.len())
    };
    Ok(database.within_deadline(work).await?)
}

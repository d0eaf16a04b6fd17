//! Writing an entry.

use sqlx::PgConnection;

use super::Origin;
use crate::database::{Database, Statement, arguments};
use crate::error::Error;

/// Entries of one client.
pub const TABLE: &str = "audit_log";

const INSERT: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: "INSERT INTO audit_log (actor, action, document_id, version, trace_id, request_id) \
          VALUES ($1, $2, $3, $4, $5, $6)",
};

/// What was changed.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// A verb, such as `upload`, `replace`, `update`, `delete`, `restore`, `purge`.
    pub action: &'static str,
    /// What it is about.
    pub document_id: i64,
    /// Version of the content that the document has after the change.
    pub version: i32,
}

/// Adds `entry` to the transaction that `connection` is in.
pub async fn append(
    database: &Database,
    connection: &mut PgConnection,
    origin: &Origin,
    entry: Entry,
) -> Result<(), Error> {
    let arguments = arguments()
        .with(origin.actor.as_str())?
        .with(entry.action)?
        .with(entry.document_id)?
        .with(entry.version)?
        .with(origin.trace_id.as_deref())?
        .with(origin.request_id.as_deref())?
        .end();
    INSERT
        .fetch_optional(database, connection, arguments)
        .await?;
    Ok(())
}

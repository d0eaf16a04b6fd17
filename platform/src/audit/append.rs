//! Writing an entry.

use serde_json::{Map, Value};
use sqlx::PgConnection;

use super::Origin;
use crate::database::{Database, Statement, arguments};
use crate::error::Error;

/// Entries of one client.
pub const TABLE: &str = "audit_log";

const INSERT: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: "INSERT INTO audit_log (actor, action, subject_kind, subject_id, subject_version, trace_id, request_id, details) \
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)",
};

/// What was changed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// A verb, such as `upload`, `replace`, `update`, `delete`, `restore`, `purge`.
    pub action: &'static str,
    /// What kind of thing it is about: one of those that its workload states.
    pub subject_kind: &'static str,
    /// Which one of them: 1 to 255 characters.
    pub subject_id: String,
    /// The version that it has after the change, if it has versions.
    pub subject_version: Option<i32>,
    /// What else is to be known of it; nothing secret, and nothing that grows with it.
    pub details: Option<Map<String, Value>>,
}

/// Adds `entry` to the transaction that `connection` is in.
pub async fn append(
    database: &Database,
    connection: &mut PgConnection,
    origin: &Origin,
    entry: Entry,
) -> Result<(), Error> {
    let details = entry
        .details
        .map(|details| Value::from(details).to_string());
    let arguments = arguments()
        .with(origin.actor.as_str())?
        .with(entry.action)?
        .with(entry.subject_kind)?
        .with(entry.subject_id)?
        .with(entry.subject_version)?
        .with(origin.trace_id.as_deref())?
        .with(origin.request_id.as_deref())?
        .with(details)?
        .end();
    INSERT
        .fetch_optional(database, connection, arguments)
        .await?;
    Ok(())
}

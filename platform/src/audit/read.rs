//! Reading entries.

use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::TABLE;
use super::filter::Page;
use super::list::AuditEntry;
use crate::database::{Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;
use crate::timestamp;

/// Every value is always there, so that the plan which Postgres keeps can use the index.
macro_rules! list {
    ($of_document:literal) => {
        concat!(
            "SELECT id, timestamp, actor, action, document_id, version, trace_id, request_id \
             FROM audit_log WHERE (timestamp, id) < ($1, $2) \
             AND timestamp > $3 AND timestamp < $4 AND ($5 = '' OR action = $5)",
            $of_document,
            " ORDER BY timestamp DESC, id DESC LIMIT $6",
        )
    };
}

const LIST: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: list!(""),
};

const LIST_OF_DOCUMENT: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: list!(" AND document_id = $7"),
};

/// One entry more than `page` shows, if there are so many.
pub(super) async fn list(
    database: &Database,
    client: &Client,
    page: &Page,
) -> Result<Vec<AuditEntry>, Error> {
    let filter = &page.filter;
    let list = arguments()
        .with(page.start.timestamp.to_sqlx())?
        .with(page.start.id)?
        .with(filter.after.to_sqlx())?
        .with(filter.before.to_sqlx())?
        .with(filter.action.as_str())?
        .with(i64::from(page.limit) + 1)?;
    let (statement, arguments) = match filter.document_id {
        Some(id) => (LIST_OF_DOCUMENT, list.with::<i64>(id)?.end()),
        None => (LIST, list.end()),
    };
    let work = async {
        let mut connection = database.connection(client).await?;
        let rows = statement
            .fetch_all(database, connection.as_mut(), arguments)
            .await?;
        rows.iter().map(entry).collect()
    };
    database.within_deadline(work).await
}

fn entry(row: &PgRow) -> Result<AuditEntry, Error> {
    Ok(AuditEntry {
        id: row.try_get("id")?,
        timestamp: timestamp::column(row, "timestamp")?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        document_id: row.try_get("document_id")?,
        version: row.try_get("version")?,
        trace_id: row.try_get("trace_id")?,
        request_id: row.try_get("request_id")?,
    })
}

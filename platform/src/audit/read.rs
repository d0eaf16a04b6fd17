//! Reading entries.

use jiff_sqlx::ToSqlx as _;
use serde_json::{Map, Value};
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
    ($of_subject:literal) => {
        concat!(
            "SELECT id, timestamp, actor, action, subject_kind, subject_id, subject_version, trace_id, request_id, details::text \
             FROM audit_log WHERE (timestamp, id) < ($1, $2) \
             AND timestamp > $3 AND timestamp < $4 AND ($5 = '' OR action = $5) \
             AND ($7 = '' OR subject_kind = $7)",
            $of_subject,
            " ORDER BY timestamp DESC, id DESC LIMIT $6",
        )
    };
}

const LIST: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: list!(""),
};

const LIST_OF_SUBJECT: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: list!(" AND subject_id = $8"),
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
        .with(i64::from(page.limit) + 1)?
        .with(filter.subject_kind.as_str())?;
    let (statement, arguments) = match &filter.subject_id {
        Some(id) => (LIST_OF_SUBJECT, list.with(id.as_str())?.end()),
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
        subject_kind: row.try_get("subject_kind")?,
        subject_id: row.try_get("subject_id")?,
        subject_version: row.try_get("subject_version")?,
        trace_id: row.try_get("trace_id")?,
        request_id: row.try_get("request_id")?,
        details: details(row)?,
    })
}

fn details(row: &PgRow) -> Result<Option<Map<String, Value>>, Error> {
    let text: Option<String> = row.try_get("details")?;
    let details = text.map(|text| serde_json::from_str(&text));
    details.transpose().map_err(Error::Encoding)
}

//! The end of what has been in the trash for its client's retention period.

use docket_platform::audit::{self, Origin};
use docket_platform::database::{Database, Statement, Transaction, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use docket_platform::usage;
use sqlx::Row as _;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::change::entry;
use crate::counters::charge;
use crate::repository::{TABLE, content_key};
use crate::version_repository;

/// Documents that one transaction removes at most.
const BATCH: i64 = 50;
/// Postgres cannot tell a time that is many thousand years ago.
const MOST_DAYS: u32 = 1_000_000;

// Whoever restores one of them wins, or finds it gone. However a held one got into the trash, it stays.
const EXPIRED: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT id, version, file_size, content_key::text FROM document_metadata \
          WHERE deleted_timestamp < statement_timestamp() - make_interval(days => $1) \
            AND NOT legal_hold \
          ORDER BY deleted_timestamp, id LIMIT $2 FOR UPDATE SKIP LOCKED",
};

const REMOVE_VERSIONS: Statement = Statement {
    operation: "DELETE",
    table: version_repository::TABLE,
    sql: "DELETE FROM document_versions WHERE document_id = ANY($1) \
          RETURNING file_size, content_key::text",
};

const REMOVE: Statement = Statement {
    operation: "DELETE",
    table: TABLE,
    sql: "DELETE FROM document_metadata WHERE id = ANY($1)",
};

/// What one transaction removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Purged {
    pub(super) documents: u64,
    /// Of their contents, which nothing refers to any more.
    pub(super) keys: Vec<Uuid>,
}

/// Removes the rows of some documents of `client` that have been in the trash for longer than its
/// retention period; none are left when there are none in the answer.
pub(super) async fn purge(
    database: &Database,
    client: &Client,
    origin: &Origin,
) -> Result<Purged, Error> {
    let span = tracing::info_span!("store_metadata", db.collection.name = TABLE);
    let work = remove(database, client, origin);
    database.within_deadline(work).instrument(span).await
}

async fn remove(database: &Database, client: &Client, origin: &Origin) -> Result<Purged, Error> {
    let days = client.limits().documents.retention_days;
    let days = i32::try_from(days.min(MOST_DAYS)).unwrap_or(i32::MAX);
    let mut connection = database.connection(client).await?;
    let mut transaction = Transaction::begin(&mut connection, TABLE).await?;
    let which = arguments().with(days)?.with(BATCH)?.end();
    let expired = EXPIRED
        .fetch_all(database, transaction.as_mut(), which)
        .await?;
    if expired.is_empty() {
        return Ok(Purged::default());
    }
    let ids: Vec<i64> = expired
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<Result<_, _>>()?;
    let of_ids = || Ok::<_, Error>(arguments().with(ids.as_slice())?.end());
    let versions = REMOVE_VERSIONS
        .fetch_all(database, transaction.as_mut(), of_ids()?)
        .await?;
    REMOVE
        .fetch_all(database, transaction.as_mut(), of_ids()?)
        .await?;
    for row in &expired {
        let entry = entry("purge", row.try_get("id")?, row.try_get("version")?);
        audit::append(database, transaction.as_mut(), origin, entry).await?;
    }
    let contents = || expired.iter().chain(&versions);
    let keys = contents().map(content_key).collect::<Result<_, _>>()?;
    let sizes: Vec<i64> = contents()
        .map(|row| row.try_get("file_size"))
        .collect::<Result<_, _>>()?;
    let documents = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    let charge = charge(-documents, -sizes.iter().sum::<i64>());
    usage::charge(database, transaction.as_mut(), client, charge).await?;
    transaction.commit().await?;
    Ok(Purged {
        documents: ids.len() as u64,
        keys,
    })
}

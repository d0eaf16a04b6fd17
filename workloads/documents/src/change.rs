//! A change of one document in one transaction, alone with it until the commit.

use docket_platform::audit::{self, Entry, Origin};
use docket_platform::database::{Database, Statement, Transaction, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use docket_platform::usage;
use sqlx::postgres::PgArguments;
use tracing::Instrument as _;

use super::counters::charge;
use super::repository::{TABLE, columns, document};
use super::{Document, SUBJECT};

// Whoever only refers to the row, as the text of its content does, need not wait.
macro_rules! lock {
    ($place:literal) => {
        Statement {
            operation: "SELECT",
            table: TABLE,
            sql: concat!(
                "SELECT ",
                columns!(),
                " FROM document_metadata WHERE id = $1 AND deleted_timestamp ",
                $place,
                " FOR NO KEY UPDATE",
            ),
        }
    };
}

const LOCK_LIVE: Statement = lock!("IS NULL");
const LOCK_TRASHED: Statement = lock!("IS NOT NULL");

/// Where in its life the document must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LifecycleStage {
    Live,
    Trash,
}

/// What is to be written once the document has been looked at.
pub(super) struct Write {
    /// As the audit log has it.
    pub(super) action: &'static str,
    /// An UPDATE of the document that returns its `columns!()`.
    pub(super) statement: &'static Statement,
    pub(super) arguments: PgArguments,
    /// Bytes that are stored from now on.
    pub(super) bytes: i64,
}

/// Changes the document `id` of `client` as `decide` says, which sees it as nobody else can change it
/// any more; with `None` all stays as it is. `before_commit` runs when only the commit is left: past
/// that point an error no longer means that nothing was changed.
///
/// # Errors
/// [`Error::NotFound`] when there is none at that stage, [`Error::QuotaExceeded`], and what `decide`
/// refuses.
pub(super) async fn change(
    (database, client, origin): (&Database, &Client, &Origin),
    (stage, id): (LifecycleStage, i64),
    decide: impl FnOnce(&Document) -> Result<Option<Write>, Error>,
    before_commit: impl FnOnce(),
) -> Result<Document, Error> {
    let work = async {
        let mut connection = database.connection_to_commit(client).await?;
        let mut transaction = Transaction::begin(&mut connection, TABLE).await?;
        let (lock, missing) = match stage {
            LifecycleStage::Live => (LOCK_LIVE, "document"),
            LifecycleStage::Trash => (LOCK_TRASHED, "document in the trash"),
        };
        let row = lock
            .fetch_optional(database, transaction.as_mut(), arguments().with(id)?.end())
            .await?;
        let before = document(client, &row.ok_or(Error::NotFound(missing))?)?;
        let Some(write) = decide(&before)? else {
            return Ok(before);
        };
        let row = write
            .statement
            .fetch_optional(database, transaction.as_mut(), write.arguments)
            .await?;
        let after = document(
            client,
            &row.ok_or(Error::Database(sqlx::Error::RowNotFound))?,
        )?;
        let entry = entry(write.action, id, after.version);
        audit::append(database, transaction.as_mut(), origin, entry).await?;
        usage::charge(
            database,
            transaction.as_mut(),
            client,
            charge(0, write.bytes),
        )
        .await?;
        before_commit();
        transaction.commit().await?;
        Ok(after)
    };
    let span = tracing::info_span!("store_metadata", db.collection.name = TABLE);
    database.within_deadline(work).instrument(span).await
}

/// Of a document that is at `version` afterwards.
pub(super) fn entry(action: &'static str, id: i64, version: i32) -> Entry {
    Entry {
        action,
        subject_kind: SUBJECT,
        subject_id: id.to_string(),
        subject_version: Some(version),
        details: None,
    }
}

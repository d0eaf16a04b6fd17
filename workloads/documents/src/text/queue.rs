//! The documents of one client whose text is yet to be read.

use std::time::Duration;

use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use sqlx::Row as _;
use uuid::Uuid;

use super::{Texts, search_sql};

/// What is read of a document, by this process and nobody else until the lease ends.
#[derive(Clone, Debug)]
pub(super) struct TextTask {
    pub(super) id: i64,
    pub(super) filename: String,
    pub(super) file_type: String,
    pub(super) file_size: u64,
    pub(super) content_key: Uuid,
    /// How often it was tried, this time included, but for those that are lost.
    pub(super) attempt: i16,
    /// How often in a row nothing was heard again of who began before: its process ended, perhaps of this very
    /// file.
    pub(super) lost: i16,
    /// Of the request that made it necessary.
    pub(super) traceparent: Option<String>,
}

/// In `text_attempts`, an attempt that has not come back counts so much, and one that has counts one.
const UNDER_WAY: i16 = 100;

/// Longer than a file may take to be read and summarized: past it the one who began is gone.
const LEASE: Duration = Duration::from_secs(300);

const CLAIM: Statement = Statement {
    operation: "UPDATE",
    table: "document_metadata",
    sql: "UPDATE document_metadata SET text_due = now() + make_interval(secs => $1), \
            text_attempts = text_attempts + $2 \
          WHERE id = (SELECT id FROM document_metadata WHERE text_state = 'Pending' AND text_due <= now() \
            ORDER BY text_due, id LIMIT 1 FOR UPDATE SKIP LOCKED) \
          RETURNING id, filename, file_type, file_size, content_key::text, text_attempts, text_traceparent",
};

// A document that has another content or name by now is read anew.
const FINISH: Statement = Statement {
    operation: "UPDATE",
    table: "document_metadata",
    sql: concat!(
        "WITH finished AS (UPDATE document_metadata SET text_state = $4, summary = $5, \
            text_due = now() + make_interval(secs => $10), text_attempts = $11, \
            modified_timestamp = CASE WHEN summary IS DISTINCT FROM $5 THEN now() ELSE modified_timestamp END \
            WHERE id = $1 AND content_key = $2::text::uuid AND filename = $3 AND text_state = 'Pending' \
            RETURNING id) \
          INSERT INTO document_text (document_id, text, search) SELECT id, $6, ",
        search_sql!("$7", "$8", "$9"),
        " FROM finished \
          ON CONFLICT (document_id) DO UPDATE SET text = EXCLUDED.text, search = EXCLUDED.search",
    ),
};

const POSTPONE: Statement = Statement {
    operation: "UPDATE",
    table: "document_metadata",
    sql: "UPDATE document_metadata SET text_due = now() + make_interval(secs => $2), text_attempts = $3 \
          WHERE id = $1 AND text_state = 'Pending'",
};

const NEXT: Statement = Statement {
    operation: "SELECT",
    table: "document_metadata",
    sql: "SELECT extract(epoch FROM text_due - now())::float8 AS seconds FROM document_metadata \
          WHERE text_state = 'Pending' ORDER BY text_due, id LIMIT 1",
};

/// What a look at a client's documents finds.
#[derive(Debug)]
pub(super) enum NextTask {
    Task(TextTask),
    /// Nothing is due now, but in this time.
    Later(Duration),
    Nothing,
}

/// The document of `client` that has waited the longest, if any is due. A connection that found
/// nothing is closed: asking must not keep one open for a client that does nothing.
pub(super) async fn claim(database: &Database, client: &Client) -> Result<NextTask, Error> {
    let lease = arguments()
        .with(LEASE.as_secs_f64())?
        .with(UNDER_WAY)?
        .end();
    let work = async {
        let mut connection = database.connection(client).await?;
        let row = CLAIM
            .fetch_optional(database, connection.as_mut(), lease)
            .await?;
        let Some(row) = row else {
            let next = NEXT
                .fetch_optional(database, connection.as_mut(), arguments().end())
                .await?;
            connection.end();
            let seconds = next.map(|row| row.try_get("seconds")).transpose()?;
            return Ok(seconds.map_or(NextTask::Nothing, |seconds: f64| {
                NextTask::Later(Duration::try_from_secs_f64(seconds).unwrap_or_default())
            }));
        };
        let size: i64 = row.try_get("file_size")?;
        let attempts: i16 = row.try_get("text_attempts")?;
        let key: &str = row.try_get("content_key")?;
        Ok(NextTask::Task(TextTask {
            id: row.try_get("id")?,
            filename: row.try_get("filename")?,
            file_type: row.try_get("file_type")?,
            file_size: size.unsigned_abs(),
            content_key: Uuid::parse_str(key)
                .map_err(|error| Error::Database(sqlx::Error::Decode(error.into())))?,
            attempt: attempts % UNDER_WAY + 1,
            lost: attempts / UNDER_WAY - 1,
            traceparent: row.try_get("text_traceparent")?,
        }))
    };
    database.within_deadline(work).await
}

/// Records what came out; a document that is still [pending](super::TextState::Pending) comes back
/// after `again`.
pub(super) async fn finish(
    database: &Database,
    client: &Client,
    task: &TextTask,
    texts: &Texts,
    again: Duration,
) -> Result<(), Error> {
    let arguments = arguments()
        .with(task.id)?
        .with(task.content_key.to_string())?
        .with(task.filename.as_str())?
        .with(texts.state.as_str())?
        .with(texts.summary.as_deref())?
        .with(texts.text.as_str())?
        .with(texts.name_words.as_str())?
        .with(texts.summary_words.as_str())?
        .with(texts.text_words.as_str())?
        .with(again.as_secs_f64())?
        .with(task.attempt)?
        .end();
    run(database, client, FINISH, arguments).await
}

/// The document comes back after `again`, as it is.
pub(super) async fn postpone(
    database: &Database,
    client: &Client,
    task: &TextTask,
    again: Duration,
) -> Result<(), Error> {
    let arguments = arguments()
        .with(task.id)?
        .with(again.as_secs_f64())?
        .with(task.attempt)?
        .end();
    run(database, client, POSTPONE, arguments).await
}

async fn run(
    database: &Database,
    client: &Client,
    statement: Statement,
    arguments: sqlx::postgres::PgArguments,
) -> Result<(), Error> {
    let work = async {
        let mut connection = database.connection(client).await?;
        statement
            .fetch_optional(database, connection.as_mut(), arguments)
            .await?;
        Ok(())
    };
    database.within_deadline(work).await
}

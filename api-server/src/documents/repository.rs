//! The table `document_metadata` of one client.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::change::Place;
use super::{Document, Filter, NewDocument};
use crate::audit::Origin;
use crate::database::{Database, Statement, arguments};
use crate::error::Error;
use crate::paging::Cursor;
use crate::tenant::Client;
use crate::text::{Texts, search_sql};
use crate::usage::{Charge, charge_sql, exceeded};

pub(crate) const TABLE: &str = "document_metadata";

/// What [`document`] reads of a row.
macro_rules! columns {
    () => {
        "id, filename, file_size, file_type, content_key::text, sha256, upload_timestamp, version, \
         coalesce(modified_timestamp, upload_timestamp) AS modified_timestamp, tags, legal_hold, \
         summary, deleted_timestamp"
    };
}

/// What every list shows, wherever it is: `$3` to `$6` are those of a [`Filter`].
// Every value is always there, so that the plan which Postgres keeps can use the index.
macro_rules! filtered {
    () => {
        "upload_timestamp > $3 AND upload_timestamp < $4 \
         AND lower(btrim(split_part(file_type, ';', 1))) LIKE $5 \
         AND strpos(lower(filename), lower($6)) > 0"
    };
}

/// What a list of documents that are not in the trash shows.
macro_rules! shown {
    () => {
        concat!(
            "deleted_timestamp IS NULL AND ",
            $crate::documents::repository::filtered!()
        )
    };
}

pub(crate) use {columns, filtered, shown};

// Each part takes its rows from the one before: what the quota does not allow leaves nothing at all.
const INSERT: Statement = Statement {
    operation: "INSERT",
    table: TABLE,
    sql: concat!(
        "WITH charged AS (",
        charge_sql!("$1", "$2", "$3", "$4", "$5"),
        "), document AS (\
           INSERT INTO document_metadata (filename, file_size, file_type, content_key, sha256, \
             summary, text_state, text_traceparent) \
           SELECT $6, $3, $7, $8::text::uuid, $9, $13, $14, $15 FROM charged RETURNING ",
        columns!(),
        "), entry AS (\
           INSERT INTO audit_log (action, document_id, version, actor, trace_id, request_id) \
           SELECT 'upload', id, version, $10, $11, $12 FROM document\
         ), words AS (\
           INSERT INTO document_text (document_id, text, search) SELECT id, $16, ",
        search_sql!("$17", "$18", "$19"),
        " FROM document\
         ) SELECT * FROM document",
    ),
};

const FIND: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: concat!(
        "SELECT ",
        columns!(),
        " FROM document_metadata WHERE id = $1 AND deleted_timestamp IS NULL",
    ),
};

/// `$1` and `$2` are those of a [`Cursor`], `$7` is how many.
macro_rules! list {
    ($timestamp:literal, $shown:expr) => {
        Statement {
            operation: "SELECT",
            table: TABLE,
            sql: concat!(
                "SELECT ",
                columns!(),
                " FROM document_metadata WHERE (",
                $timestamp,
                ", id) < ($1, $2) AND ",
                $shown,
                " ORDER BY ",
                $timestamp,
                " DESC, id DESC LIMIT $7",
            ),
        }
    };
}

const LIST: Statement = list!("upload_timestamp", shown!());
// The index of tags has those that have any.
const LIST_TAGGED: Statement = list!(
    "upload_timestamp",
    concat!(shown!(), " AND tags <> '{}' AND tags @> ARRAY[$8::text]")
);
const LIST_DELETED: Statement = list!(
    "deleted_timestamp",
    concat!("deleted_timestamp IS NOT NULL AND ", filtered!())
);
const LIST_DELETED_TAGGED: Statement = list!(
    "deleted_timestamp",
    concat!(
        "deleted_timestamp IS NOT NULL AND ",
        filtered!(),
        " AND tags @> ARRAY[$8::text]"
    )
);

/// Of the transaction that records a document.
pub(crate) fn store_metadata() -> tracing::Span {
    tracing::info_span!("store_metadata", db.collection.name = TABLE)
}

/// Records `new` with one statement, in the transaction that `connection` is in.
///
/// # Errors
/// [`Error::Unprocessable`] when another document has that content already, [`Error::QuotaExceeded`].
pub(crate) async fn insert(
    database: &Database,
    connection: &mut PgConnection,
    client: &Client,
    origin: &Origin,
    new: &NewDocument,
    texts: &Texts,
) -> Result<Document, Error> {
    let charge = Charge {
        documents: 1,
        bytes: i64::try_from(new.file_size).unwrap_or(i64::MAX),
    };
    let arguments = charge
        .values(arguments(), client.quota())?
        .with(new.filename.as_str())?
        .with(new.file_type.as_str())?
        .with(new.content_key.to_string())?
        .with(new.sha256.as_slice())?
        .with(origin.actor.as_str())?
        .with(origin.trace_id.as_deref())?
        .with(origin.request_id.as_deref())?
        .with(texts.summary.as_deref())?
        .with(texts.state.as_str())?
        .with(docket_instrumentation::traceparent())?
        .with(texts.text.as_str())?
        .with(texts.name_words.as_str())?
        .with(texts.summary_words.as_str())?
        .with(texts.text_words.as_str())?
        .end();
    let row = INSERT
        .fetch_optional(database, connection, arguments)
        .await
        .map_err(taken)?;
    match row {
        Some(row) => document(client, &row),
        None => Err(exceeded(database, connection, client, charge).await),
    }
}

/// The document `id` of `client`.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(crate) async fn find(database: &Database, client: &Client, id: i64) -> Result<Document, Error> {
    let arguments = arguments().with(id)?.end();
    let work = async {
        let mut connection = database.connection(client).await?;
        let row = FIND
            .fetch_optional(database, connection.as_mut(), arguments)
            .await?;
        connection.settle();
        document(client, &row.ok_or(Error::NotFound("document"))?)
    };
    database.within_deadline(work).await
}

/// At most `most` documents of `client` that `filter` lets through, newest first, or those in the trash
/// as they were deleted, the last one first; from `start` on.
pub(crate) async fn list(
    database: &Database,
    client: &Client,
    filter: &Filter,
    (place, start): (Place, Cursor),
    most: u32,
) -> Result<Vec<Document>, Error> {
    let list = match (place, &filter.tag) {
        (Place::Live, None) => LIST,
        (Place::Live, Some(_)) => LIST_TAGGED,
        (Place::Trash, None) => LIST_DELETED,
        (Place::Trash, Some(_)) => LIST_DELETED_TAGGED,
    };
    let arguments = arguments()
        .with(start.timestamp)?
        .with(start.id)?
        .with(filter.after)?
        .with(filter.before)?
        .with(filter.type_pattern.as_str())?
        .with(filter.name.as_str())?
        .with(i64::from(most))?;
    let arguments = match &filter.tag {
        Some(tag) => arguments.with(tag.as_str())?.end(),
        None => arguments.end(),
    };
    let work = async {
        let mut connection = database.connection(client).await?;
        let rows = list
            .fetch_all(database, connection.as_mut(), arguments)
            .await?;
        connection.settle();
        rows.iter().map(|row| document(client, row)).collect()
    };
    database.within_deadline(work).await
}

pub(crate) fn document(client: &Client, row: &PgRow) -> Result<Document, Error> {
    Ok(Document {
        id: row.try_get("id")?,
        client_id: client.name.clone(),
        filename: row.try_get("filename")?,
        file_size: row.try_get("file_size")?,
        file_type: row.try_get("file_type")?,
        upload_timestamp: row.try_get("upload_timestamp")?,
        sha256: row.try_get("sha256")?,
        version: row.try_get("version")?,
        modified_timestamp: row.try_get("modified_timestamp")?,
        tags: row.try_get("tags")?,
        legal_hold: row.try_get("legal_hold")?,
        summary: row.try_get("summary")?,
        deleted_timestamp: row.try_get("deleted_timestamp")?,
        content_key: content_key(row)?,
    })
}

/// The column `content_key::text`.
pub(super) fn content_key(row: &PgRow) -> Result<Uuid, Error> {
    let key: &str = row.try_get("content_key")?;
    Uuid::parse_str(key).map_err(|error| Error::Database(sqlx::Error::Decode(error.into())))
}

fn taken(error: Error) -> Error {
    match error {
        Error::Database(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Error::Unprocessable("content_key belongs to another document".into())
        }
        other => other,
    }
}

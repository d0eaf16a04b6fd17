//! The table `document_metadata` of one client.

use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::paging::Cursor;
use docket_platform::tenant::Client;
use docket_platform::timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::change::LifecycleStage;
use super::{Document, Filter};

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
            $crate::repository::filtered!()
        )
    };
}

pub(crate) use {columns, filtered, shown};

const FIND: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: concat!(
        "SELECT ",
        columns!(),
        " FROM document_metadata WHERE id = $1 AND deleted_timestamp IS NULL",
    ),
};

const FIND_ALL: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: concat!(
        "SELECT ",
        columns!(),
        " FROM document_metadata WHERE id = ANY($1) AND deleted_timestamp IS NULL",
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

/// Those of the documents `ids` of `client` that there are, in any order.
pub(crate) async fn find_all(
    database: &Database,
    client: &Client,
    ids: &[i64],
) -> Result<Vec<Document>, Error> {
    let arguments = arguments().with(ids)?.end();
    let work = async {
        let mut connection = database.connection(client).await?;
        let rows = FIND_ALL
            .fetch_all(database, connection.as_mut(), arguments)
            .await?;
        connection.settle();
        rows.iter().map(|row| document(client, row)).collect()
    };
    database.within_deadline(work).await
}

/// At most `most` documents of `client` that `filter` lets through, newest first, or those in the trash
/// as they were deleted, the last one first; from `start` on.
pub(crate) async fn list(
    database: &Database,
    client: &Client,
    filter: &Filter,
    (stage, start): (LifecycleStage, Cursor),
    most: u32,
) -> Result<Vec<Document>, Error> {
    let list = match (stage, &filter.tag) {
        (LifecycleStage::Live, None) => LIST,
        (LifecycleStage::Live, Some(_)) => LIST_TAGGED,
        (LifecycleStage::Trash, None) => LIST_DELETED,
        (LifecycleStage::Trash, Some(_)) => LIST_DELETED_TAGGED,
    };
    let arguments = arguments()
        .with(start.timestamp.to_sqlx())?
        .with(start.id)?
        .with(filter.after.to_sqlx())?
        .with(filter.before.to_sqlx())?
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
        upload_timestamp: timestamp::column(row, "upload_timestamp")?,
        sha256: row.try_get("sha256")?,
        version: row.try_get("version")?,
        modified_timestamp: timestamp::column(row, "modified_timestamp")?,
        tags: row.try_get("tags")?,
        legal_hold: row.try_get("legal_hold")?,
        summary: row.try_get("summary")?,
        deleted_timestamp: timestamp::optional_column(row, "deleted_timestamp")?,
        content_key: content_key(row)?,
    })
}

/// The column `content_key::text`.
pub(super) fn content_key(row: &PgRow) -> Result<Uuid, Error> {
    let key: &str = row.try_get("content_key")?;
    Uuid::parse_str(key).map_err(|error| Error::Database(sqlx::Error::Decode(error.into())))
}

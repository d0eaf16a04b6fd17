//! The contents that a document of one client has had: the table `document_versions`, and the present
//! one.

use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use docket_platform::timestamp;
use sqlx::Row as _;

use super::download::Stored;
use super::repository::content_key;
use super::versions::Version;

pub(crate) const TABLE: &str = "document_versions";

/// All contents of the document `$1`, as `content`.
macro_rules! contents {
    () => {
        " FROM document_metadata AS document CROSS JOIN LATERAL (\
            SELECT document.version, document.file_size, document.file_type, document.content_key, \
              document.sha256, \
              coalesce(document.content_timestamp, document.upload_timestamp) AS upload_timestamp \
            UNION ALL \
            SELECT version, file_size, file_type, content_key, sha256, upload_timestamp \
            FROM document_versions WHERE document_id = document.id\
          ) AS content WHERE document.id = $1 AND document.deleted_timestamp IS NULL"
    };
}

const LIST: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: concat!(
        "SELECT content.version, content.file_size, content.file_type, content.sha256, \
           content.upload_timestamp",
        contents!(),
        " AND content.version < $2 ORDER BY content.version DESC LIMIT $3",
    ),
};

const FIND: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: concat!(
        "SELECT document.filename, content.file_type, content.file_size, content.sha256, \
           content.content_key::text",
        contents!(),
        " AND content.version = $2",
    ),
};

/// At most `most` contents of the document `id` before the version `before`, newest first.
///
/// # Errors
/// [`Error::NotFound`] when there is no such document; the first version is always there.
pub(super) async fn list(
    database: &Database,
    client: &Client,
    id: i64,
    before: i64,
    most: u32,
) -> Result<Vec<Version>, Error> {
    let arguments = arguments()
        .with(id)?
        .with(before)?
        .with(i64::from(most))?
        .end();
    let work = async {
        let mut connection = database.connection(client).await?;
        let rows = LIST
            .fetch_all(database, connection.as_mut(), arguments)
            .await?;
        let versions = rows.iter().map(|row| {
            Ok(Version {
                version: row.try_get("version")?,
                file_size: row.try_get("file_size")?,
                file_type: row.try_get("file_type")?,
                sha256: row.try_get("sha256")?,
                upload_timestamp: timestamp::column(row, "upload_timestamp")?,
            })
        });
        let versions: Vec<Version> = versions.collect::<Result<_, Error>>()?;
        match versions.is_empty() {
            true => Err(Error::NotFound("document")),
            false => Ok(versions),
        }
    };
    database.within_deadline(work).await
}

/// The content that the document `id` has, or had, as `version`.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(super) async fn find(
    database: &Database,
    client: &Client,
    id: i64,
    version: i64,
) -> Result<Stored, Error> {
    let arguments = arguments().with(id)?.with(version)?.end();
    let work = async {
        let mut connection = database.connection(client).await?;
        let row = FIND
            .fetch_optional(database, connection.as_mut(), arguments)
            .await?;
        let row = row.ok_or(Error::NotFound("version of a document"))?;
        Ok(Stored {
            filename: row.try_get("filename")?,
            file_type: row.try_get("file_type")?,
            file_size: row.try_get("file_size")?,
            sha256: row.try_get("sha256")?,
            content_key: content_key(&row)?,
        })
    };
    database.within_deadline(work).await
}

//! Contents in the object store that no document and no version refers to.

use sqlx::Row as _;
use time::OffsetDateTime;
use uuid::Uuid;

use super::repository::{TABLE, content_key};
use crate::database::{Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

const ORPHANS: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT key AS content_key FROM unnest($1::text[]) AS key \
          WHERE NOT EXISTS (SELECT FROM document_metadata WHERE content_key = key::uuid) \
            AND NOT EXISTS (SELECT FROM document_versions WHERE content_key = key::uuid)",
};

const SINCE: Statement = Statement {
    operation: "SELECT",
    table: docket_schema::MIGRATIONS_TABLE,
    sql: "SELECT min(applied_at) AS since FROM schema_migrations",
};

/// Those of `keys` that no row of `client` has.
pub(crate) async fn orphans(
    database: &Database,
    client: &Client,
    keys: &[Uuid],
) -> Result<Vec<Uuid>, Error> {
    let keys: Vec<String> = keys.iter().map(Uuid::to_string).collect();
    let arguments = arguments().with(keys)?.end();
    let work = async {
        let mut connection = database.connection(client).await?;
        let rows = ORPHANS
            .fetch_all(database, connection.as_mut(), arguments)
            .await?;
        rows.iter().map(content_key).collect()
    };
    database.within_deadline(work).await
}

/// When the schema of `client` was made: what is older was stored for some other database, whose
/// documents this one does not know.
pub(crate) async fn known_since(
    database: &Database,
    client: &Client,
) -> Result<OffsetDateTime, Error> {
    let work = async {
        let mut connection = database.connection(client).await?;
        let row = SINCE
            .fetch_optional(database, connection.as_mut(), arguments().end())
            .await?;
        let row = row.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
        Ok(row.try_get("since")?)
    };
    database.within_deadline(work).await
}

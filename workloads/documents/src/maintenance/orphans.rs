//! Contents in the object store that no document and no version refers to.

use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use uuid::Uuid;

use crate::repository::{TABLE, content_key};

const ORPHANS: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "SELECT key AS content_key FROM unnest($1::text[]) AS key \
          WHERE NOT EXISTS (SELECT FROM document_metadata WHERE content_key = key::uuid) \
            AND NOT EXISTS (SELECT FROM document_versions WHERE content_key = key::uuid)",
};

/// Those of `keys` that no row of `client` has.
pub(super) async fn orphans(
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

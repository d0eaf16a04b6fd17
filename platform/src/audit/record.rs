//! An entry about what changes no row.

use super::{Entry, Origin, TABLE, append};
use crate::database::{Database, commits_itself};
use crate::error::Error;
use crate::tenant::Client;

/// Writes `entry` in a transaction of its own.
pub(crate) async fn record(
    database: &Database,
    client: &Client,
    origin: &Origin,
    entry: Entry,
) -> Result<(), Error> {
    let work = async {
        let mut connection = database.connection_to_commit(client).await?;
        let appended = append(database, connection.as_mut(), origin, entry);
        commits_itself(TABLE, appended).await?;
        connection.settle();
        Ok(())
    };
    database.within_deadline(work).await
}

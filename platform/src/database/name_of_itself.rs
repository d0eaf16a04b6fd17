//! What a database calls itself: a copy of its rows elsewhere calls itself something else.

use sqlx::Row as _;

use super::{Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;

const READ: Statement = Statement {
    operation: "SELECT",
    table: "pg_database",
    sql: docket_schema::READ_DATABASE,
};

impl Database {
    /// What the database of `client` calls itself.
    ///
    /// # Errors
    /// When the database is away, or does not tell the client's role.
    pub async fn name_of_itself(&self, client: &Client) -> Result<String, Error> {
        let work = async {
            let mut connection = self.connection(client).await?;
            let row = READ
                .fetch_optional(self, connection.as_mut(), arguments().end())
                .await?;
            let row = row.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
            Ok(row.try_get("database")?)
        };
        self.within_deadline(work).await
    }
}

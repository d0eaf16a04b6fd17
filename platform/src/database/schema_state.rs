//! Whether a client's schema is one that this build can serve.

use docket_schema::LATEST_VERSION;
use jiff::Timestamp;
use sqlx::Row as _;

use super::{Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;
use crate::timestamp;

/// What a client finds when it logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// The version of this build or the next, with these workload tables missing (normally none).
    Current {
        /// By name.
        missing: Vec<String>,
    },
    /// The operator has yet to migrate it.
    Older(i32),
    /// A much newer operator has migrated it: this build must not touch it.
    Newer(i32),
    /// Postgres answered, but not with a schema: not yet provisioned, or the login is refused.
    NotProvisioned(String),
    /// Postgres did not answer.
    Unreachable(String),
}

impl SchemaState {
    /// Whether the client can be served.
    pub fn is_served(&self) -> bool {
        matches!(self, Self::Current { missing } if missing.is_empty())
    }
}

/// A migration serves the server of the version before it, whose pods run until those of the new one
/// are ready.
const NEXT_VERSION: i32 = LATEST_VERSION + 1;

const READ: Statement = Statement {
    operation: "SELECT",
    table: docket_schema::MIGRATIONS_TABLE,
    sql: "SELECT coalesce(max(version), 0) AS version, \
          ARRAY(SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL) AS missing \
          FROM schema_migrations",
};

const MADE: Statement = Statement {
    operation: "SELECT",
    table: docket_schema::MIGRATIONS_TABLE,
    sql: "SELECT min(applied_at) AS made FROM schema_migrations",
};

impl Database {
    /// When the schema of `client` was made: what is older was stored for some other database, whose
    /// rows this one does not know.
    ///
    /// # Errors
    /// When the database is away, or slower than a request's deadline.
    pub async fn schema_made(&self, client: &Client) -> Result<Timestamp, Error> {
        let work = async {
            let mut connection = self.connection(client).await?;
            let row = MADE
                .fetch_optional(self, connection.as_mut(), arguments().end())
                .await?;
            let row = row.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
            Ok(timestamp::column(&row, "made")?)
        };
        self.within_deadline(work).await
    }

    /// The state of the schema of `client`, which should have `tables`.
    pub async fn schema_state(&self, client: &Client, tables: &[&'static str]) -> SchemaState {
        match self.read_state(client, tables).await {
            Ok(state) => state,
            Err(Error::DatabaseUnavailable(error)) if !answered(&error) => {
                SchemaState::Unreachable(error.to_string())
            }
            Err(Error::Database(error) | Error::DatabaseUnavailable(error)) => {
                SchemaState::NotProvisioned(error.to_string())
            }
            Err(error) => SchemaState::Unreachable(error.to_string()),
        }
    }

    async fn read_state(
        &self,
        client: &Client,
        tables: &[&'static str],
    ) -> Result<SchemaState, Error> {
        let arguments = arguments().with(tables)?.end();
        let mut connection = self.connection(client).await?;
        let row = READ
            .fetch_optional(self, connection.as_mut(), arguments)
            .await?;
        let row = row.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
        let version: i32 = row.try_get("version")?;
        Ok(match version {
            ..LATEST_VERSION => SchemaState::Older(version),
            LATEST_VERSION..=NEXT_VERSION => SchemaState::Current {
                missing: row.try_get("missing")?,
            },
            _ => SchemaState::Newer(version),
        })
    }
}

/// Whether Postgres spoke at all: a refused login (28) is about the client, not the server.
fn answered(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("28"))
}

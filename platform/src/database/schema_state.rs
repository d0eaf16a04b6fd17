//! Whether a client's schema is one that this build can serve.

use docket_schema::{PLATFORM, latest_version};
use jiff::Timestamp;
use sqlx::Row as _;

use super::{Database, Statement, arguments};
use crate::error::Error;
use crate::tenant::Client;
use crate::timestamp;

/// What a client finds when it logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// The versions of this build or the next, with these tables missing (normally none).
    Current {
        /// By name.
        missing: Vec<String>,
    },
    /// The same, where Postgres takes no changes: a standby, or one that was made read-only.
    ReadOnly,
    /// The operator has yet to migrate the tables of this workload.
    Older(&'static str),
    /// A much newer operator has migrated the tables of this workload: this build must not touch them.
    Newer(&'static str),
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

/// What a server needs of a client's schema.
#[derive(Clone, Debug)]
pub struct NeededSchema {
    workloads: Vec<&'static str>,
    tables: Vec<&'static str>,
}

impl NeededSchema {
    /// The tables `tables` of these workloads, and of what they share.
    pub fn new(workloads: impl Iterator<Item = &'static str>, tables: Vec<&'static str>) -> Self {
        Self {
            workloads: std::iter::once(PLATFORM).chain(workloads).collect(),
            tables,
        }
    }

    /// Names of the tables.
    pub fn tables(&self) -> &[&'static str] {
        &self.tables
    }
}

const READ: Statement = Statement {
    operation: "SELECT",
    table: docket_schema::MIGRATIONS_TABLE,
    sql: "SELECT \
          ARRAY(SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL) AS missing, \
          ARRAY(SELECT (SELECT coalesce(max(version), 0) FROM schema_migrations WHERE workload = asked.name) \
            FROM unnest($2::text[]) WITH ORDINALITY AS asked (name, place) ORDER BY place) AS versions, \
          current_setting('transaction_read_only')::boolean AS read_only",
};

const MADE: Statement = Statement {
    operation: "SELECT",
    table: docket_schema::MIGRATIONS_TABLE,
    sql: "SELECT min(applied_at) AS made FROM schema_migrations WHERE workload = $1",
};

impl Database {
    /// When the tables of `workload` were made in the schema of `client`: what is older was stored for some
    /// other database, whose rows this one does not know.
    ///
    /// # Errors
    /// When the database is away, or slower than a request's deadline.
    pub async fn tables_made(
        &self,
        client: &Client,
        workload: &'static str,
    ) -> Result<Timestamp, Error> {
        let arguments = arguments().with(workload)?.end();
        let work = async {
            let mut connection = self.connection(client).await?;
            let row = MADE
                .fetch_optional(self, connection.as_mut(), arguments)
                .await?;
            let row = row.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
            Ok(timestamp::column(&row, "made")?)
        };
        self.within_deadline(work).await
    }

    /// The state of the schema of `client`, which should have what is `needed`.
    pub async fn schema_state(&self, client: &Client, needed: &NeededSchema) -> SchemaState {
        match self.read_state(client, needed).await {
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
        needed: &NeededSchema,
    ) -> Result<SchemaState, Error> {
        let (tables, workloads) = (needed.tables.as_slice(), needed.workloads.as_slice());
        let arguments = arguments().with(tables)?.with(workloads)?.end();
        let mut connection = self.connection_to_check(client).await?;
        let row = READ
            .fetch_optional(self, connection.as_mut(), arguments)
            .await?;
        let row = row.ok_or(Error::Database(sqlx::Error::RowNotFound))?;
        let versions: Vec<i32> = row.try_get("versions")?;
        let missing: Vec<String> = row.try_get("missing")?;
        let is_read_only: bool = row.try_get("read_only")?;
        Ok(match state_of(workloads, &versions) {
            Some(state) => state,
            None if missing.is_empty() && is_read_only => SchemaState::ReadOnly,
            None => SchemaState::Current { missing },
        })
    }
}

/// What is wrong with tables of `workloads` that are at `versions`. A migration serves the server of the version
/// before it, whose pods run until those of the new one are ready.
fn state_of(workloads: &[&'static str], versions: &[i32]) -> Option<SchemaState> {
    let each = || workloads.iter().zip(versions);
    let newer = each().find(|(name, version)| **version > latest_version(name) + 1);
    let older = || each().find(|(name, version)| **version < latest_version(name));
    newer
        .map(|(name, _)| SchemaState::Newer(name))
        .or_else(|| older().map(|(name, _)| SchemaState::Older(name)))
}

/// Whether Postgres spoke at all: a refused login (28) is about the client, not the server.
fn answered(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.starts_with("28"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_serves_its_own_version_of_each_workloads_tables_and_the_next() {
        let latest = latest_version(PLATFORM);
        // One that has no migrations has no tables either.
        let workloads = [PLATFORM, "tableless"];
        for (versions, state) in [
            ([latest, 0], None),
            ([latest + 1, 1], None),
            ([latest - 1, 0], Some(SchemaState::Older(PLATFORM))),
            ([latest + 2, 0], Some(SchemaState::Newer(PLATFORM))),
            ([latest - 1, 2], Some(SchemaState::Newer("tableless"))),
        ] {
            assert_eq!(state_of(&workloads, &versions), state, "{versions:?}");
        }
    }
}

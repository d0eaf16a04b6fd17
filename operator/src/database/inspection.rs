//! What a database holds of a tenant's clients, read with two statements however many they are.

use std::collections::BTreeMap;

use docket_contract::Refusal;
use docket_schema::{Applied, Identity, Owner, State};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use tracing::Instrument;

use super::failure;
use super::sessions::Sessions;
use crate::content_locations::ContentLocations;
use crate::error::Error;

/// What is there, by schema name.
pub type Inspection = BTreeMap<String, ClientRow>;

/// What is there of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientRow {
    /// The schema exists.
    pub schema_exists: bool,
    /// One of the client's two roles exists.
    pub role_exists: bool,
    /// Those of the two that can log in.
    pub logins: Vec<String>,
    /// Those of the two that were retired and may have sessions yet.
    pub ending: Vec<String>,
    /// Those of the two that the operator may not change.
    pub foreign_roles: Vec<String>,
    /// Connections that the role in use may hold; -1 for any number, none where it does not exist.
    pub connection_limit: Option<i32>,
    /// Connections that the server has for all.
    pub server_connections: i32,
    /// The migrations that the schema has had; none where it does not exist.
    pub applied: Applied,
    /// What servers refuse to do in it until somebody looked.
    pub refused: Vec<RefusedTask>,
    /// Uids of tenants whose schema of this name was deleted.
    pub deleted_for: Vec<String>,
    /// What the registry says of the schema.
    pub registered: Option<Registered>,
}

/// What a server refuses to do until somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedTask {
    /// Why.
    pub reason: Refusal,
    /// What is said of it, in the words of the reason.
    pub because: String,
}

/// Characters of [`RefusedTask::because`] that a sentence has room for: a client's own role can write it.
const LONGEST: usize = 200;

/// Rows of one answer. A hundred clients, the most that a tenant has, have a row for each of their migrations; an answer
/// of rows without a word has many more, and each takes a multiple of its bytes here.
const MOST_ROWS: usize = 20_000;

impl ClientRow {
    /// What is there of `owner`'s client once the login of `identity`, the first that it has, was provisioned with
    /// the tables of `workloads`; `connections` are those that the role may hold, and those of the server.
    #[must_use]
    pub fn provisioned(
        identity: &Identity,
        owner: &Owner,
        connections: (u32, i32),
        credential_hash: String,
        workloads: &[&str],
        content: ContentLocations,
    ) -> Self {
        Self {
            schema_exists: true,
            role_exists: true,
            logins: vec![identity.role.clone()],
            ending: Vec::new(),
            foreign_roles: Vec::new(),
            connection_limit: i32::try_from(connections.0).ok(),
            server_connections: connections.1,
            applied: Applied::all(workloads),
            refused: Vec::new(),
            deleted_for: Vec::new(),
            registered: Some(Registered {
                client: owner.client.clone(),
                tenant: format!("{}/{}", owner.namespace, owner.tenant),
                tenant_uid: owner.tenant_uid.clone(),
                state: State::Active,
                role: identity.role.clone(),
                credential_hash,
                content,
            }),
        }
    }
}

/// A row of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// `namespace/name` of the tenant that the schema belongs to.
    pub tenant: String,
    /// Name of its client.
    pub client: String,
    /// Its uid.
    pub tenant_uid: String,
    /// Whether it is in use.
    pub state: State,
    /// The role in use.
    pub role: String,
    /// Fingerprint of the password that the role has.
    pub credential_hash: String,
    /// Where the client keeps what is outside the database.
    pub content: ContentLocations,
}

/// What is there; a database that takes no changes is a problem, even if none is needed now.
pub(super) async fn inspect(
    sessions: &Sessions,
    read_clients: &'static str,
    schemas: &[String],
) -> Result<Inspection, Error> {
    let span = tracing::info_span!(
        "sql_execution",
        otel.kind = "client",
        db.system.name = "postgresql",
        db.operation.name = "inspect",
    );
    let read = sessions.survey(async |connection| {
        let rows = rows(connection, read_clients, schemas).await?;
        for row in &rows {
            if row.try_get("read_only")? {
                return Ok(None);
            }
        }
        let mut inspection = by_schema(&rows)?;
        let existing: Vec<&str> = inspection
            .iter()
            // A schema of somebody else has no migrations table of ours to ask.
            .filter(|(_, row)| row.schema_exists && row.registered.is_some())
            .map(|(schema, _)| schema.as_str())
            .collect();
        if let Some(query) = docket_schema::read_schemas(&existing) {
            let known = sqlx::query(sqlx::AssertSqlSafe(query)).persistent(false);
            for row in bounded(known.fetch(&mut *connection)).await? {
                if let Some(client) = inspection.get_mut(row.try_get::<&str, _>("schema")?) {
                    add(client, &row)?;
                }
            }
        }
        Ok(Some(inspection))
    });
    let read: Option<Inspection> = read.instrument(span).await?;
    read.ok_or_else(failure::read_only)
}

/// Takes in a row of what is known of the schema of `client`.
fn add(client: &mut ClientRow, row: &PgRow) -> sqlx::Result<()> {
    if let Some(workload) = row.try_get("workload")? {
        let (version, checksum) = (row.try_get("version")?, row.try_get("checksum")?);
        client.applied.add(workload, version, checksum);
    }
    let refused: Option<String> = row.try_get("refused")?;
    if let Some(reason) = refused.as_deref().and_then(Refusal::parse) {
        let because: Option<String> = row.try_get("because")?;
        let because = because.unwrap_or_default().chars().take(LONGEST).collect();
        client.refused.push(RefusedTask { reason, because });
    }
    Ok(())
}

async fn rows(
    connection: &mut PgConnection,
    query: &'static str,
    schemas: &[String],
) -> sqlx::Result<Vec<PgRow>> {
    bounded(sqlx::query(query).bind(schemas).fetch(connection)).await
}

/// All rows, where they are no more than there can be.
async fn bounded(rows: BoxStream<'_, sqlx::Result<PgRow>>) -> sqlx::Result<Vec<PgRow>> {
    let rows: Vec<PgRow> = rows.take(MOST_ROWS + 1).try_collect().await?;
    match rows.len() > MOST_ROWS {
        true => Err(sqlx::Error::Protocol(format!("more than {MOST_ROWS} rows"))),
        false => Ok(rows),
    }
}

fn by_schema(rows: &[PgRow]) -> sqlx::Result<Inspection> {
    rows.iter()
        .map(|row| {
            let state: Option<String> = row.try_get("state")?;
            let registered = match state.as_deref().and_then(State::parse) {
                None => None,
                Some(state) => Some(Registered {
                    tenant: format!(
                        "{}/{}",
                        row.try_get::<String, _>("namespace")?,
                        row.try_get::<String, _>("tenant")?
                    ),
                    client: row.try_get("client")?,
                    tenant_uid: row.try_get("tenant_uid")?,
                    state,
                    role: row.try_get("role_name")?,
                    credential_hash: row.try_get("credential_hash")?,
                    content: ContentLocations::read(row.try_get("content")?),
                }),
            };
            Ok((
                row.try_get("schema_name")?,
                ClientRow {
                    schema_exists: row.try_get("schema_exists")?,
                    role_exists: row.try_get("role_exists")?,
                    logins: row.try_get("logins")?,
                    ending: row.try_get("ending")?,
                    foreign_roles: row.try_get("foreign_roles")?,
                    connection_limit: row.try_get("connection_limit")?,
                    server_connections: row.try_get("server_connections")?,
                    applied: Applied::default(),
                    refused: Vec::new(),
                    deleted_for: row.try_get("deleted_for")?,
                    registered,
                },
            ))
        })
        .collect()
}

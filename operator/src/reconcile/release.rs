//! Clients go, one by one or with their tenant: what becomes of their data.

use std::time::{Duration, Instant};

use docket_crds::ClientStatus;
use docket_schema::{Identity, State};

use super::apply::Change;
use super::buckets::Buckets;
use crate::content::{Content, Deleted};
use crate::content_locations::ContentLocations;
use crate::database::{Database, Inspection};
use crate::error::{Problem, Result};
use crate::leadership::fence::Fence;
use crate::validated_tenant::ValidatedTenant;

/// What becomes of the data.
#[derive(Clone, Copy)]
pub(super) enum Release<'a> {
    /// It stays, and nobody can log in.
    Retain,
    /// It is deleted, with the content in these buckets, while the fence is open.
    Delete(Buckets<'a>, &'a Fence),
}

/// How far a turn of it came.
#[derive(Default)]
pub(super) struct Released {
    pub changes: Vec<Change>,
    /// Whether the turn was over before all was done.
    pub more: bool,
    /// Clients whose data is gone and whose roles are left, and why.
    pub left: Vec<(ClientStatus, Problem)>,
}

/// Retains or deletes the data of `clients` of the tenant `uid`, until `turn` is over; what the registry
/// says is not, or no longer, theirs is left alone.
pub(super) async fn release(
    clients: &[ClientStatus],
    uid: &str,
    release: Release<'_>,
    turn: Duration,
    database: &Database,
) -> Result<Released> {
    let begun = Instant::now();
    let schemas: Vec<String> = clients.iter().map(|client| client.schema.clone()).collect();
    let inspection = database.inspect(&schemas).await?;
    let mut released = Released::default();
    for client in clients
        .iter()
        .filter(|client| is_ours(&inspection, client, uid))
    {
        // One at least: what never gets anywhere would never end.
        if !released.changes.is_empty() && begun.elapsed() >= turn {
            released.more = true;
            break;
        }
        let identity = Identity {
            schema: client.schema.clone(),
            role: client.role.clone(),
        };
        let verb = match release {
            _ if is_deleted(&inspection, &client.schema) => {
                match database.delete_roles(&identity, uid).await? {
                    Some(problem) => {
                        released.left.push((client.clone(), problem));
                        continue;
                    }
                    None => "dropped the roles of",
                }
            }
            Release::Retain => {
                database.retain(&identity, uid).await?;
                "retained"
            }
            Release::Delete(buckets, fence) => {
                // What keeps the schema from being dropped is found out before anything is gone.
                database.prepare_delete(&identity, uid).await?;
                // Content first: the registry's row is what a second attempt finds it by.
                let buckets = buckets.of(&content_of(&inspection, &client.schema)).await?;
                let deleted = delete_content(&buckets, &client.schema, turn, fence).await?;
                if let Deleted::Part(count) = deleted {
                    let what = format!("{count} objects of schema {}", client.schema);
                    released.changes.push(Change::new("deleted", what));
                    released.more = true;
                    break;
                }
                if let Some(problem) = database.delete(&identity, uid).await? {
                    released.left.push((client.clone(), problem));
                }
                "deleted"
            }
        };
        let what = format!("schema {}", client.schema);
        released.changes.push(Change::new(verb, what));
    }
    Ok(released)
}

/// Deletes what the clients of `wanted` keep of workloads that were taken out, until `turn` is over.
pub(super) async fn drop_workloads(
    wanted: &ValidatedTenant,
    (buckets, fence): (Buckets<'_>, &Fence),
    turn: Duration,
    database: &Database,
) -> Result<Released> {
    let begun = Instant::now();
    let mut released = Released::default();
    for client in &wanted.clients {
        let mut left = client.content.clone();
        for name in &client.dropped {
            let Some(workload) = docket_schema::workload(name) else {
                continue;
            };
            // One at least: what never gets anywhere would never end.
            if !released.changes.is_empty() && begun.elapsed() >= turn {
                released.more = true;
                return Ok(released);
            }
            let schema = &client.identity.schema;
            database
                .rehearse_drop_workload(&client.identity, &wanted.uid, workload)
                .await?;
            // Content first: the registry's row is what a second attempt finds it by.
            let bucket = buckets.left_by(name, &left).await?;
            let bucket: Vec<Content> = bucket.into_iter().collect();
            if let Deleted::Part(count) = delete_content(&bucket, schema, turn, fence).await? {
                let what = format!("{count} objects of {name} of schema {schema}");
                released.changes.push(Change::new("deleted", what));
                released.more = true;
                return Ok(released);
            }
            left = left.without(name);
            database
                .drop_workload(&client.identity, &wanted.uid, workload, &left.text())
                .await?;
            let what = format!("tables of {name} of schema {schema}");
            released.changes.push(Change::new("deleted", what));
        }
    }
    Ok(released)
}

/// Deletes what the client whose schema is `schema` has in `buckets`, until `turn` is over.
async fn delete_content(
    buckets: &[Content],
    schema: &str,
    turn: Duration,
    fence: &Fence,
) -> Result<Deleted> {
    for bucket in buckets {
        let deleted = bucket.delete(schema, turn, fence).await?;
        if deleted != Deleted::All {
            return Ok(deleted);
        }
    }
    Ok(Deleted::All)
}

fn content_of(inspection: &Inspection, schema: &str) -> ContentLocations {
    let row = inspection
        .get(schema)
        .and_then(|row| row.registered.as_ref());
    row.map(|row| row.content.clone()).unwrap_or_default()
}

fn is_ours(inspection: &Inspection, client: &ClientStatus, uid: &str) -> bool {
    let row = inspection
        .get(&client.schema)
        .and_then(|row| row.registered.as_ref());
    row.is_some_and(|row| row.tenant_uid == uid && row.state != State::Retained)
}

/// Whether the data of a schema is gone already.
fn is_deleted(inspection: &Inspection, schema: &str) -> bool {
    let row = inspection
        .get(schema)
        .and_then(|row| row.registered.as_ref());
    row.is_some_and(|row| row.state == State::Deleted)
}

/// What is said of a client whose role is left.
pub(super) fn role_left((client, problem): &(ClientStatus, Problem)) -> String {
    format!(
        "The data of client {} is gone, and nobody can log in as its role {}, which is left: {}",
        client.name, client.role, problem.message
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{ClientRow, Registered};

    fn inspect(tenant_uid: &str, state: State) -> Inspection {
        let registered = Registered {
            tenant: "acme/acme".into(),
            tenant_uid: tenant_uid.into(),
            state,
            role: String::new(),
            credential_hash: String::new(),
            content: ContentLocations::default(),
        };
        let row = ClientRow {
            registered: Some(registered),
            ..ClientRow::default()
        };
        [("s".to_owned(), row)].into()
    }

    #[test]
    fn only_data_that_is_the_tenants_and_in_use_is_touched() {
        let client = ClientStatus {
            schema: "s".into(),
            ..ClientStatus::default()
        };
        assert!(is_ours(&inspect("u", State::Active), &client, "u"));
        assert!(is_ours(&inspect("u", State::Deleted), &client, "u"));
        assert!(!is_ours(&inspect("u", State::Retained), &client, "u"));
        assert!(!is_ours(&inspect("another", State::Active), &client, "u"));
        assert!(!is_ours(&Inspection::new(), &client, "u"));
    }
}

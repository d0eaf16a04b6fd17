//! Clients go, one by one or with their tenant: what becomes of their data.

use std::time::{Duration, Instant};

use docket_crds::ClientStatus;
use docket_schema::{Identity, State};

use super::apply::Change;
use crate::content::{Content, Deleted};
use crate::database::{Database, Inspection};
use crate::error::Result;
use crate::leadership::fence::Fence;

/// What becomes of the data.
#[derive(Clone, Copy)]
pub(super) enum Release<'a> {
    /// It stays, and nobody can log in.
    Retain,
    /// It is deleted, with the content in this bucket if there is one, while the fence is open.
    Delete(Option<&'a Content>, &'a Fence),
}

/// How far a turn of it came.
#[derive(Default)]
pub(super) struct Released {
    pub changes: Vec<Change>,
    /// Whether the turn was over before all was done.
    pub more: bool,
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
            Release::Retain => {
                database.retain(&identity, uid).await?;
                "retained"
            }
            Release::Delete(content, fence) => {
                // Content first: the registry's row is what a second attempt finds it by.
                let deleted = match content {
                    Some(content) => content.delete(&client.schema, turn, fence).await?,
                    None => Deleted::All,
                };
                if let Deleted::Part(count) = deleted {
                    let what = format!("{count} objects of schema {}", client.schema);
                    released.changes.push(Change::new("deleted", what));
                    released.more = true;
                    break;
                }
                database.delete(&identity, uid).await?;
                "deleted"
            }
        };
        let what = format!("schema {}", client.schema);
        released.changes.push(Change::new(verb, what));
    }
    Ok(released)
}

fn is_ours(inspection: &Inspection, client: &ClientStatus, uid: &str) -> bool {
    let row = inspection
        .get(&client.schema)
        .and_then(|row| row.registered.as_ref());
    row.is_some_and(|row| row.tenant_uid == uid && row.state == State::Active)
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
        assert!(!is_ours(&inspect("u", State::Retained), &client, "u"));
        assert!(!is_ours(&inspect("another", State::Active), &client, "u"));
        assert!(!is_ours(&Inspection::new(), &client, "u"));
    }
}

//! Acts on Postgres: clients come, clients go.

use docket_crds::{DeletionPolicy, DocumentTenant};
use docket_schema::{Identity, Owner, Provision};

use super::apply::Change;
use super::dereference::Seen;
use super::rollout::Rollout;
use crate::error::Result;
use crate::secret_value::{fingerprint, scram_verifier};
use crate::wanted::{Provisioning, Wanted};

/// Makes or updates what Postgres lacks; runs no statement where it lacks nothing.
pub(super) async fn provision(wanted: &Wanted, seen: &Seen) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for client in &wanted.clients {
        let Some(work) = client.provision else {
            continue;
        };
        let owner = Owner {
            namespace: wanted.namespace.clone(),
            tenant: wanted.name.clone(),
            tenant_uid: wanted.uid.clone(),
            client: client.name.clone(),
        };
        seen.database
            .provision(&Provision {
                identity: &client.identity,
                owner: &owner,
                verifier: &scram_verifier(&client.password),
                credential_hash: &fingerprint(&client.password),
                version: work.version(),
            })
            .await?;
        let verb = match work {
            Provisioning::Create => "created",
            Provisioning::Adopt { .. } => "adopted",
            Provisioning::Update { .. } => "updated",
        };
        changes.push(Change::new(
            verb,
            format!("schema {}", client.identity.schema),
        ));
    }
    Ok(changes)
}

/// Retains or deletes the data of clients that the spec no longer names, once no pod serves them.
pub(super) async fn release(
    tenant: &DocumentTenant,
    wanted: &Wanted,
    seen: &Seen,
    rollout: &Rollout,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    if wanted.released.is_empty() || !rollout.is_complete() {
        return Ok(changes);
    }
    for client in &wanted.released {
        let identity = Identity {
            schema: client.schema.clone(),
            role: client.role.clone(),
        };
        match tenant.spec.database.deletion_policy {
            DeletionPolicy::Retain => {
                seen.database.retain(&identity, &wanted.uid).await?;
                changes.push(Change::new("retained", format!("schema {}", client.schema)));
            }
            DeletionPolicy::Delete => {
                // Content first: the schema is what a second attempt finds it by.
                seen.content.delete_all(&client.schema).await?;
                seen.database.delete(&identity, &wanted.uid).await?;
                changes.push(Change::new("deleted", format!("schema {}", client.schema)));
            }
        }
    }
    Ok(changes)
}

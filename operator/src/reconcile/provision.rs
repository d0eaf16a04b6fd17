//! Clients come, or change: what they need in Postgres.

use docket_schema::{Owner, Provision};

use super::apply::Change;
use super::dereference::Seen;
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
            Provisioning::Rotate { .. } => "rotated the login of",
        };
        changes.push(Change::new(
            verb,
            format!("schema {}", client.identity.schema),
        ));
    }
    Ok(changes)
}

//! Clients come, or change: what they need in Postgres.

use docket_schema::{Owner, Provision};

use super::apply::Change;
use super::dereference::Dereferenced;
use crate::context::Context;
use crate::credentials::secret_value::{fingerprint, scram_verifier};
use crate::database::{ClientRow, Database};
use crate::error::Result;
use crate::validated_tenant::{Provisioning, ValidatedClient, ValidatedTenant};

/// Makes or updates what Postgres lacks; runs no statement where it lacks nothing.
pub(super) async fn provision(
    wanted: &ValidatedTenant,
    database: &Database,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for client in &wanted.clients {
        let Some(work) = client.provision else {
            continue;
        };
        let owner = owner(wanted, client);
        database
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

/// Keeps what is in the database now for the next look, where nothing is left to do there and all that
/// was done is a first login.
pub(super) fn remember(wanted: &ValidatedTenant, seen: &Dereferenced, ctx: &Context) {
    let mut inspected = seen.inspected.clone();
    for client in &wanted.clients {
        match client.provision {
            None => {}
            Some(Provisioning::Create) => {
                let owner = owner(wanted, client);
                let hash = fingerprint(&client.password);
                let row = ClientRow::provisioned(&client.identity, &owner, hash);
                inspected
                    .inspection
                    .insert(client.identity.schema.clone(), row);
            }
            Some(_) => return ctx.memory.forget_inspected(&wanted.uid),
        }
    }
    // These change the database after this.
    let ends = |client: &ValidatedClient| client.retiring;
    if wanted.released.is_empty() && !wanted.clients.iter().any(ends) {
        ctx.memory
            .keep_inspected(&wanted.uid, seen.occasion, inspected);
    } else {
        ctx.memory.forget_inspected(&wanted.uid);
    }
}

fn owner(wanted: &ValidatedTenant, client: &ValidatedClient) -> Owner {
    Owner {
        namespace: wanted.namespace.clone(),
        tenant: wanted.name.clone(),
        tenant_uid: wanted.uid.clone(),
        client: client.name.clone(),
    }
}

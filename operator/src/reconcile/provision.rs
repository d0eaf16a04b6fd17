//! Clients come, or change: what they need in Postgres.

use docket_schema::{Applied, Owner, Provision};

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
    let workloads: Vec<&str> = wanted.workloads.names().collect();
    for client in &wanted.clients {
        let Some(work) = client.provision else {
            continue;
        };
        let owner = owner(wanted, client);
        let (verifier, hash) = (
            scram_verifier(&client.password),
            fingerprint(&client.password),
        );
        let content = client.content.text();
        let provision = async |applied: &Applied| {
            let wanted = Provision {
                identity: &client.identity,
                owner: &owner,
                verifier: &verifier,
                credential_hash: &hash,
                workloads: &workloads,
                applied,
                content: &content,
            };
            database.provision(&wanted).await
        };
        provision(&client.applied).await?;
        let mut applied = client.applied.clone().after_transaction(&workloads);
        while let Some(outside) = applied.outside(&workloads) {
            database.migrate_outside(&client.identity, outside).await?;
            let done = outside.done(applied);
            if !done.is_current(&workloads) {
                provision(&done).await?;
            }
            applied = done.after_transaction(&workloads);
        }
        let verb = match work {
            Provisioning::Create => "created",
            Provisioning::Adopt => "adopted",
            Provisioning::Update => "updated",
            Provisioning::Rotate => "rotated the login of",
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
    let workloads: Vec<&str> = wanted.workloads.names().collect();
    for client in &wanted.clients {
        match client.provision {
            None => {}
            Some(Provisioning::Create) => {
                let owner = owner(wanted, client);
                let hash = fingerprint(&client.password);
                let row = ClientRow::provisioned(
                    &client.identity,
                    &owner,
                    hash,
                    &workloads,
                    client.content.clone(),
                );
                inspected
                    .inspection
                    .insert(client.identity.schema.clone(), row);
            }
            Some(_) => return ctx.memory.forget_inspected(&wanted.uid),
        }
    }
    // These change the database after this.
    let ends = |client: &ValidatedClient| client.retiring || !client.dropped.is_empty();
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

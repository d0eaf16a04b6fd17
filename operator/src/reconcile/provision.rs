//! Clients come, or change: what they need in Postgres.

use docket_schema::{Applied, Owner, Provision};

use super::apply::Change;
use super::dereference::Dereferenced;
use crate::context::Context;
use crate::credentials::secret_value::{fingerprint, scram_verifier};
use crate::database::{ClientRow, Database, LOCKED, UNDER_WAY};
use crate::error::Result;
use crate::validated_tenant::{Provisioning, ValidatedClient, ValidatedTenant};

/// Makes or updates what Postgres lacks; runs no statement where it lacks nothing. Whoever locks the tables of one
/// client keeps the others from nothing.
pub(super) async fn provision(
    wanted: &ValidatedTenant,
    database: &Database,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let mut locked = None;
    for client in &wanted.clients {
        let Some(work) = client.provision else {
            continue;
        };
        match of_client(wanted, client, database).await {
            Ok(()) => {}
            Err(error) if [LOCKED, UNDER_WAY].contains(&error.problem().reason) => {
                locked.get_or_insert(error);
                continue;
            }
            Err(error) => return Err(error),
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
    locked.map_or(Ok(changes), Err)
}

/// One transaction, and what cannot be a part of it.
async fn of_client(
    wanted: &ValidatedTenant,
    client: &ValidatedClient,
    database: &Database,
) -> Result<()> {
    let workloads: Vec<&str> = wanted.workloads.names().collect();
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
            connections: client.connections.granted(),
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
    Ok(())
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
                    (client.connections.granted(), client.server_connections),
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
    let ends = |client: &ValidatedClient| client.retiring.is_some() || !client.dropped.is_empty();
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

//! What a reconcile would change, said and not done.

use docket_crds::{DeletionPolicy, DocumentTenant, PlanStatus, PlannedAction, PlannedChange};
use docket_schema::{PLATFORM, latest_version};
use jiff::Timestamp;

use super::dereference::{Purpose, dereference};
use super::{apply, validate};
use crate::build;
use crate::context::Context;
use crate::credentials::secret_value::PlannedSecrets;
use crate::error::Result;
use crate::identified::Identified;
use crate::validated_tenant::{Provisioning, ValidatedClient, ValidatedTenant};

/// What would be changed for the spec as it is now.
pub(super) async fn plan(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<PlanStatus> {
    let (seen, _) = dereference(tenant, Purpose::Plan, ctx).await?;
    let secrets = &mut PlannedSecrets;
    let wanted = validate::validate(tenant, &seen, &ctx.images, Timestamp::now(), secrets)?;
    let mut changes = in_database(&wanted);
    let (secrets, children) = (build::secrets(&wanted), build::children(&wanted));
    changes.extend(apply::plan(tenant, secrets, children, ctx).await?);
    changes.extend(released(&wanted, tenant.spec.database.deletion_policy));
    changes.extend(dropped(&wanted));
    Ok(PlanStatus {
        generation: tenant.metadata.generation.unwrap_or_default(),
        changes,
    })
}

/// The plan in a sentence, for a condition.
pub(super) fn summary(plan: &PlanStatus) -> String {
    match plan.changes.len() {
        0 => "Everything is as the spec asks.".to_owned(),
        1 => "status.plan names 1 change.".to_owned(),
        count => format!("status.plan names {count} changes."),
    }
}

fn in_database(wanted: &ValidatedTenant) -> Vec<PlannedChange> {
    let names = std::iter::once(PLATFORM).chain(wanted.workloads.names());
    let workloads: Vec<&str> = names.collect();
    let change = |client: &ValidatedClient| {
        let name = &client.name;
        let (action, detail) = match client.provision? {
            Provisioning::Create => (
                PlannedAction::Create,
                format!(
                    "client {name} gets a role, a schema with the tables of {} and rights on it",
                    workloads.join(" and ")
                ),
            ),
            Provisioning::Adopt => (
                PlannedAction::Adopt,
                format!(
                    "client {name} takes over the data that was retained{}",
                    migrations(client, &workloads)
                ),
            ),
            Provisioning::Update => (
                PlannedAction::Update,
                format!(
                    "role, password and rights of client {name} are set{}",
                    migrations(client, &workloads)
                ),
            ),
            Provisioning::Rotate if wanted.revoked => (
                PlannedAction::Update,
                format!("client {name} gets a new login, and the one it has ends at once"),
            ),
            Provisioning::Rotate => (
                PlannedAction::Update,
                format!(
                    "client {name} gets a new login beside the one it has, until no pod uses that"
                ),
            ),
        };
        Some(PlannedChange {
            action,
            object: format!("schema {}", client.identity.schema),
            client: Some(name.clone()),
            detail,
        })
    };
    wanted.clients.iter().filter_map(change).collect()
}

/// What of the schema of `client` is brought to another version, in words.
fn migrations(client: &ValidatedClient, workloads: &[&str]) -> String {
    let steps = workloads.iter().filter_map(|name| {
        let (now, latest) = (client.applied.version(name), latest_version(name));
        match now {
            _ if now == latest => None,
            0 => Some(format!("the tables of {name} are made")),
            _ => Some(format!(
                "the tables of {name} go from version {now} to {latest}"
            )),
        }
    });
    steps.map(|step| format!(", and {step}")).collect()
}

/// What goes of clients that stay, because the spec no longer names a workload.
fn dropped(wanted: &ValidatedTenant) -> Vec<PlannedChange> {
    let of_client = |client: &ValidatedClient| {
        let change = |workload: &&'static str| PlannedChange {
            action: PlannedAction::Delete,
            object: format!("tables of {workload} in schema {}", client.identity.schema),
            client: Some(client.name.clone()),
            detail: format!(
                "client {} loses all that it keeps of {workload}, once no pod serves it",
                client.name
            ),
        };
        client.dropped.iter().map(change).collect::<Vec<_>>()
    };
    wanted.clients.iter().flat_map(of_client).collect()
}

fn released(wanted: &ValidatedTenant, policy: DeletionPolicy) -> Vec<PlannedChange> {
    let (action, what) = match policy {
        DeletionPolicy::Retain => (
            PlannedAction::Retain,
            "can no longer log in, and its data stays",
        ),
        DeletionPolicy::Delete => (
            PlannedAction::Delete,
            "loses its schema, its role and all its data",
        ),
    };
    let change = |client: &docket_crds::ClientStatus| PlannedChange {
        action,
        object: format!("schema {}", client.schema),
        client: Some(client.name.clone()),
        detail: format!("client {} {what}, once no pod serves it", client.name),
    };
    wanted.released.iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use docket_schema::Applied;

    use super::*;
    use crate::validated_tenant::example::acme;

    fn said(changes: &[PlannedChange]) -> Vec<String> {
        changes
            .iter()
            .map(|change| format!("{} {}: {}", change.action, change.object, change.detail))
            .collect()
    }

    #[test]
    fn what_would_run_in_the_database_is_said_in_words() {
        let mut wanted = acme();
        wanted.clients[0].provision = Some(Provisioning::Create);
        wanted.clients[1].provision = Some(Provisioning::Update);
        wanted.clients[1].applied = Applied::all(&[]);
        insta::assert_yaml_snapshot!(said(&in_database(&wanted)));
    }

    #[test]
    fn a_client_that_the_spec_no_longer_names_goes_as_the_policy_says() {
        let mut wanted = acme();
        wanted.released = vec![docket_crds::ClientStatus {
            name: "hooli".into(),
            schema: "acme_hooli".into(),
            ..Default::default()
        }];
        let said = [DeletionPolicy::Retain, DeletionPolicy::Delete]
            .map(|policy| said(&released(&wanted, policy)));
        insta::assert_yaml_snapshot!(said);
    }

    #[test]
    fn a_client_as_it_should_be_is_not_in_the_plan() {
        assert_eq!(in_database(&acme()), []);
    }
}

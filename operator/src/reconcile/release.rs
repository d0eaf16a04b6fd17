//! Clients go, one by one or with their tenant: what becomes of their data.

use std::time::Instant;

use docket_crds::{ClientStatus, ConditionType, DeletionPolicy, DocumentTenant, annotations};
use docket_schema::{Identity, State, Workload};
use kube::ResourceExt;

use super::apply::Change;
use super::buckets::Buckets;
use super::content_ownership::ContentClaim;
use crate::content::{Content, Deleted};
use crate::content_locations::ContentLocations;
use crate::context::Context;
use crate::database::{ClientRow, DEPENDENT_OBJECTS, Database};
use crate::error::{Error, Problem, Result};
use crate::identified::Identified;
use crate::validated_tenant::ValidatedTenant;

/// Where data is let go, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Releasing<'a> {
    pub tenant: &'a Identified<DocumentTenant>,
    pub database: &'a Database,
    pub buckets: Buckets<'a>,
    pub ctx: &'a Context,
}

/// How far a turn of it came.
#[derive(Default)]
pub(super) struct Released {
    pub changes: Vec<Change>,
    /// Whether the turn was over before all was done.
    pub more: bool,
    /// Clients whose data is gone and whose roles are left, and why.
    pub left: Vec<(ClientStatus, Problem)>,
    /// What keeps some of it from being let go; all else is.
    pub stuck: Option<Error>,
}

impl Released {
    /// Notes that `error` is in the way of some: others need not wait for it.
    fn is_stuck(&mut self, error: Error, releasing: &Releasing<'_>) {
        releasing
            .ctx
            .metrics
            .refused_deletion(error.problem().reason);
        self.stuck.get_or_insert(error);
    }
}

/// Retains or deletes the data of `clients`, as the tenant's policy says, until the turn is over; what the registry
/// says is not, or no longer, theirs is left alone.
pub(super) async fn release(
    clients: &[ClientStatus],
    releasing: Releasing<'_>,
) -> Result<Released> {
    let Releasing {
        tenant,
        database,
        ctx,
        ..
    } = releasing;
    let begun = Instant::now();
    let schemas: Vec<String> = clients.iter().map(|client| client.schema.clone()).collect();
    let inspection = database.inspect(&schemas).await?;
    let mut released = Released::default();
    for client in clients {
        let row = inspection.get(&client.schema);
        let whereabouts = whereabouts(row, client, tenant.uid());
        match whereabouts {
            Whereabouts::Done => continue,
            _ if is_given_up(tenant, &client.schema) => {
                let what = format!("schema {}", client.schema);
                released.changes.push(Change::new("gave up", what));
                continue;
            }
            Whereabouts::Lost => {
                released.is_stuck(lost(client), &releasing);
                continue;
            }
            Whereabouts::Here | Whereabouts::RolesLeft => {}
        }
        // One at least: what never gets anywhere would never end.
        if !released.changes.is_empty() && begun.elapsed() >= ctx.turn {
            released.more = true;
            break;
        }
        let row = row.cloned().unwrap_or_default();
        let step = match whereabouts {
            Whereabouts::RolesLeft => drop_roles(client, releasing).await,
            _ => release_one(client, &row, releasing).await,
        };
        match step {
            Ok(Step::Done(change)) => released.changes.push(change),
            Ok(Step::RolesLeft(change, problem)) => {
                released.changes.extend(change);
                released.left.push((client.clone(), problem));
            }
            Ok(Step::Part(change)) => {
                released.changes.push(change);
                released.more = true;
                break;
            }
            Err(error) if concerns_one_alone(&error) => released.is_stuck(error, &releasing),
            Err(error) => return Err(error),
        }
    }
    Ok(released)
}

/// How far one client came.
enum Step {
    Done(Change),
    /// The turn was over before all was done.
    Part(Change),
    /// The data is gone, and these roles cannot be dropped.
    RolesLeft(Option<Change>, Problem),
}

/// Whether another client is let go of all the same: what is in the way is not what all share.
fn concerns_one_alone(error: &Error) -> bool {
    match error {
        Error::Permanent(_) => true,
        Error::Transient(problem) => problem.reason == DEPENDENT_OBJECTS,
        Error::Kubernetes(_) | Error::Panicked(_) | Error::Queued(_) => false,
    }
}

/// Drops the roles of a client whose data is gone.
async fn drop_roles(client: &ClientStatus, releasing: Releasing<'_>) -> Result<Step> {
    let identity = identity_of(client);
    let left = releasing
        .database
        .delete_roles(&identity, releasing.tenant.uid())
        .await?;
    Ok(match left {
        Some(problem) => Step::RolesLeft(None, problem),
        None => {
            let what = format!("schema {}", client.schema);
            Step::Done(Change::new("dropped the roles of", what))
        }
    })
}

fn identity_of(client: &ClientStatus) -> Identity {
    Identity {
        schema: client.schema.clone(),
        role: client.role.clone(),
    }
}

/// Lets go of a client whose data is here and the tenant's.
async fn release_one(
    client: &ClientStatus,
    row: &ClientRow,
    releasing: Releasing<'_>,
) -> Result<Step> {
    let Releasing {
        tenant,
        database,
        buckets,
        ctx,
    } = releasing;
    let (schema, uid) = (&client.schema, tenant.uid());
    let identity = identity_of(client);
    let content = row.registered.as_ref().map(|row| row.content.clone());
    let content = content.unwrap_or_default();
    let held = match tenant.spec.database.deletion_policy {
        DeletionPolicy::Retain => None,
        DeletionPolicy::Delete => Some(count_held(schema, row, database).await?),
    };
    if held == Some(0) {
        // What keeps the schema from being dropped is found out before anything is gone.
        database.prepare_delete(&identity, uid).await?;
        // Content first: the registry's row is what a second attempt finds it by.
        let buckets = buckets.of(&content).await?;
        let deleted = delete_content(&buckets, schema, releasing).await?;
        if let Deleted::Part(count) = deleted {
            let what = format!("{count} objects of schema {schema}");
            return Ok(Step::Part(Change::new("deleted", what)));
        }
        let left = database.delete(&identity, uid).await?;
        let change = Change::new("deleted", format!("schema {schema}"));
        return Ok(match left {
            Some(problem) => Step::RolesLeft(Some(change), problem),
            None => Step::Done(change),
        });
    }
    database.retain(&identity, uid).await?;
    if let Err(error) = let_go_of_content(&content, schema, releasing).await {
        // Who adopts it has to take the content over: that is no reason to leave a login.
        tracing::warn!(schema, %error, "the bucket does not say that the content was let go of");
    }
    if let Some(held) = held {
        let note = format!(
            "The schema {schema} of client {} and its content are kept, although spec.database.deletionPolicy is Delete: \
             rows under legal hold: {held}. To delete them, adopt the schema, end the holds, and remove the client \
             again.",
            client.name
        );
        ctx.events.warn(tenant, "LegalHold", note).await;
    }
    let change = Change::new("retained", format!("schema {schema}"));
    Ok(Step::Done(change))
}

/// Deletes what the clients of `wanted` keep of workloads that were taken out, until the turn is over.
pub(super) async fn drop_workloads(
    wanted: &ValidatedTenant,
    releasing: Releasing<'_>,
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
            if !released.changes.is_empty() && begun.elapsed() >= releasing.ctx.turn {
                released.more = true;
                return Ok(released);
            }
            let schema = &client.identity.schema;
            match drop_workload(&client.identity, workload, &left, releasing).await {
                Ok(Deleted::All) => left = left.without(name),
                Ok(Deleted::Part(count)) => {
                    let what = format!("{count} objects of {name} of schema {schema}");
                    released.changes.push(Change::new("deleted", what));
                    released.more = true;
                    return Ok(released);
                }
                Err(error) if concerns_one_alone(&error) => {
                    released.is_stuck(error, &releasing);
                    continue;
                }
                Err(error) => return Err(error),
            }
            let what = format!("tables of {name} of schema {schema}");
            released.changes.push(Change::new("deleted", what));
        }
    }
    Ok(released)
}

/// Deletes what a client keeps of `workload`, of whose content the registry says `left`.
async fn drop_workload(
    identity: &Identity,
    workload: &Workload,
    left: &ContentLocations,
    releasing: Releasing<'_>,
) -> Result<Deleted> {
    let (schema, database) = (&identity.schema, releasing.database);
    let held = database.count_held(schema, &[workload]).await?;
    if held > 0 {
        return Err(problem(
            "LegalHold",
            format!(
                "The tables of {} in the schema {schema} and their content are kept, although spec.database.deletionPolicy is \
                 Delete: rows under legal hold: {held}. Name the workload again to end the holds, or set the policy to \
                 Retain.",
                workload.name
            ),
        ));
    }
    // What keeps the tables from being dropped is found out before anything is gone.
    let uid = releasing.tenant.uid();
    database
        .rehearse_drop_workload(identity, uid, workload)
        .await?;
    // Content first: the registry's row is what a second attempt finds it by.
    let bucket = releasing.buckets.left_by(workload.name, left).await?;
    let bucket: Vec<Content> = bucket.into_iter().collect();
    let deleted = delete_content(&bucket, schema, releasing).await?;
    if deleted == Deleted::All {
        let left = left.without(workload.name).text();
        database
            .drop_workload(identity, uid, workload, &left)
            .await?;
    }
    Ok(deleted)
}

/// Deletes what the client whose schema is `schema` has in `buckets`, if it is ours, until the turn is over.
async fn delete_content(
    buckets: &[Content],
    schema: &str,
    releasing: Releasing<'_>,
) -> Result<Deleted> {
    let Releasing {
        tenant,
        database,
        ctx,
        ..
    } = releasing;
    if buckets.is_empty() {
        return Ok(Deleted::All);
    }
    let claim = ContentClaim::of(tenant, database).await?;
    for bucket in buckets {
        claim.check(bucket, schema).await?;
        let deleted = bucket.delete(schema, ctx.turn, &ctx.fence).await?;
        if deleted != Deleted::All {
            return Ok(deleted);
        }
    }
    Ok(Deleted::All)
}

/// Says beside the content of a client that is retained that its tenant let go of it.
async fn let_go_of_content(
    content: &ContentLocations,
    schema: &str,
    releasing: Releasing<'_>,
) -> Result<()> {
    let buckets = releasing.buckets.of(content).await?;
    if buckets.is_empty() {
        return Ok(());
    }
    let claim = ContentClaim::of(releasing.tenant, releasing.database).await?;
    for bucket in buckets {
        claim.let_go(&bucket, schema, &releasing.ctx.fence).await?;
    }
    Ok(())
}

/// What is said of a client whose role is left.
pub(super) fn role_left((client, problem): &(ClientStatus, Problem)) -> String {
    format!(
        "The data of client {} is gone, and nobody can log in as its role {}, which is left: {}",
        client.name, client.role, problem.message
    )
}

/// How many rows of a client must not be deleted, whoever asks.
async fn count_held(schema: &str, row: &ClientRow, database: &Database) -> Result<i64> {
    if !row.schema_exists {
        return Ok(0);
    }
    let workloads: Vec<&Workload> = row
        .applied
        .beside(&[])
        .filter_map(docket_schema::workload)
        .collect();
    database.count_held(schema, &workloads).await
}

/// Where a client's data is.
#[derive(Debug, PartialEq, Eq)]
enum Whereabouts {
    /// In this database, and the tenant's to deal with.
    Here,
    /// Gone from this database, but for the tenant's roles.
    RolesLeft,
    /// It was dealt with before, or never made.
    Done,
    /// Somewhere else, or nowhere any more: this database knows nothing of it.
    Lost,
}

fn whereabouts(row: Option<&ClientRow>, client: &ClientStatus, uid: &str) -> Whereabouts {
    let registered = row.and_then(|row| row.registered.as_ref());
    let was_deleted = row.is_some_and(|row| row.deleted_for.iter().any(|it| it == uid));
    match registered {
        Some(row) if row.tenant_uid == uid => match row.state {
            State::Active => Whereabouts::Here,
            State::Deleted => Whereabouts::RolesLeft,
            State::Retained => Whereabouts::Done,
        },
        Some(_) => Whereabouts::Done,
        // The status names a client before there is anything of it.
        None if client.schema_version == 0 || was_deleted => Whereabouts::Done,
        None => Whereabouts::Lost,
    }
}

fn is_given_up(tenant: &DocumentTenant, schema: &str) -> bool {
    annotations::listed(tenant.annotations(), annotations::GIVE_UP).any(|it| it == schema)
}

fn lost(client: &ClientStatus) -> Error {
    let (name, schema) = (&client.name, &client.schema);
    problem(
        "SchemaLost",
        format!(
            "The data of client {name} cannot be let go: its schema {schema} was made before, and this database knows \
             nothing of it. Point the Secret at the right database, or restore the schema and its row in docket.clients. If \
             it is gone for good, annotate the tenant with {}={schema}: what is left of it, in another database or in the \
             bucket, then stays as it is.",
            annotations::GIVE_UP
        ),
    )
}

fn problem(reason: &'static str, message: String) -> Error {
    Error::Permanent(Problem::new(ConditionType::DatabaseReady, reason, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Inspection, Registered};

    fn inspect(tenant_uid: &str, state: State) -> Inspection {
        let registered = Registered {
            tenant: "acme/acme".into(),
            client: "globex".into(),
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
        let whereabouts = |inspection: &Inspection| whereabouts(inspection.get("s"), &client, "u");
        assert_eq!(whereabouts(&inspect("u", State::Active)), Whereabouts::Here);
        assert_eq!(
            whereabouts(&inspect("u", State::Deleted)),
            Whereabouts::RolesLeft
        );
        for (uid, state) in [("u", State::Retained), ("another", State::Active)] {
            assert_eq!(whereabouts(&inspect(uid, state)), Whereabouts::Done);
        }
        assert_eq!(whereabouts(&Inspection::new()), Whereabouts::Done);
    }

    #[test]
    fn data_that_was_there_is_lost_unless_it_was_deleted_for_the_tenant_itself() {
        let client = ClientStatus {
            schema: "s".into(),
            schema_version: 1,
            ..ClientStatus::default()
        };
        let deleted_for = |uid: &str| ClientRow {
            deleted_for: vec![uid.to_owned()],
            ..ClientRow::default()
        };
        let unknown = ClientRow {
            schema_exists: true,
            ..ClientRow::default()
        };
        for (row, expected) in [
            (None, Whereabouts::Lost),
            (Some(ClientRow::default()), Whereabouts::Lost),
            (Some(unknown), Whereabouts::Lost),
            (Some(deleted_for("another")), Whereabouts::Lost),
            (Some(deleted_for("u")), Whereabouts::Done),
        ] {
            assert_eq!(whereabouts(row.as_ref(), &client, "u"), expected, "{row:?}");
        }
    }
}

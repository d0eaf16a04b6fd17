//! A tenant goes: first its pods, then its data as the policy says, then the finalizer.

use docket_crds::names::DATA_FINALIZER;
use std::time::Duration;

use docket_crds::{DeletionPolicy, DocumentTenant, names};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::DeleteParams;

use super::apply::{belongs_to, take_away};
use super::buckets::Buckets;
use super::dereference;
use super::named_secrets::NamedSecrets;
use super::release::{Released, Releasing, release, role_left};
use super::{pods_left, report, workloads};
use crate::build::COMPONENTS;
use crate::content::Content;
use crate::context::Context;
use crate::database::Database;
use crate::error::{Error, Problem, Result};
use crate::foreign::prometheus_operator::PrometheusRule;
use crate::identified::Identified;
use crate::reconciled_kind::{Next, ReconciledKind};
use crate::status::outcome::Outcome;
use crate::status::timeline::Timeline;

/// Deals with what a deleted tenant leaves; validates nothing, since status names all that exists.
pub(super) async fn cleanup(
    tenant: &Identified<DocumentTenant>,
    timeline: &Timeline,
    ctx: &Context,
) -> Result<Next> {
    let policy = tenant.spec.database.deletion_policy;
    match let_go(tenant, ctx).await.map_err(explain)? {
        Gone::Waiting => Ok(Next::Change),
        Gone::InPart(released) => {
            let changed = report::changed(&released.changes, timeline);
            if let Some(stuck) = released.stuck.filter(|_| !released.more) {
                report::tell(tenant, changed.as_ref(), ctx).await;
                return Err(explain(stuck));
            }
            report::report(tenant, Outcome::deleting(policy), ctx).await?;
            report::tell(tenant, changed.as_ref(), ctx).await;
            Ok(Next::Again(Some(Duration::ZERO)))
        }
        Gone::Done => Ok(Next::Gone),
    }
}

enum Gone {
    /// Pods are still there; their end brings the tenant back here.
    Waiting,
    /// So much is done, and more is to be.
    InPart(Released),
    Done,
}

async fn let_go(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<Gone> {
    // Pods first: one that still serves could write what nobody would clean up.
    if !pods_are_gone(tenant, &COMPONENTS, ctx).await? {
        return Ok(Gone::Waiting);
    }
    let clients = tenant
        .status
        .as_ref()
        .map(|status| status.clients.as_slice())
        .unwrap_or_default();
    if clients.is_empty() {
        return Ok(Gone::Done);
    }
    let policy = tenant.spec.database.deletion_policy;
    let Some(database) = database(tenant, policy, ctx).await? else {
        return Ok(Gone::Done);
    };
    let content = match (policy, content(tenant, ctx).await) {
        // What is retained is not touched, whatever is known of the bucket.
        (DeletionPolicy::Retain, content) => content.ok().flatten(),
        (DeletionPolicy::Delete, content) => content?,
    };
    let current = content.as_ref().map(|(name, content)| (*name, content));
    let releasing = Releasing {
        tenant,
        database: &database,
        buckets: Buckets::new(tenant, current, ctx),
        ctx,
    };
    let released = release(clients, releasing).await?;
    for left in &released.left {
        let note = role_left(left);
        ctx.events.warn(tenant, "RolesLeft", note).await;
    }
    Ok(match released.more || released.stuck.is_some() {
        true => Gone::InPart(released),
        false => Gone::Done,
    })
}

/// Whether none of `components` has pods any more, with or without a Deployment; deletes the Deployments that are
/// there.
pub(super) async fn pods_are_gone(
    tenant: &Identified<DocumentTenant>,
    components: &[&str],
    ctx: &Context,
) -> Result<bool> {
    let api: Api<Deployment> = Api::namespaced(ctx.client.clone(), tenant.namespace());
    let mut going = Vec::new();
    let mut are_gone = true;
    for component in components {
        let name = names::component_name(tenant.name(), component);
        let deployment = api.get_opt(&name).await?;
        let ours = deployment.filter(|deployment| belongs_to(deployment, tenant.uid()));
        match ours.map(|deployment| deployment.metadata.deletion_timestamp) {
            None => {}
            Some(Some(_)) => are_gone = false,
            Some(None) => going.push(name),
        }
    }
    if !going.is_empty() {
        let policy = tenant.spec.database.deletion_policy;
        report::report(tenant, Outcome::deleting(policy), ctx).await?;
        stop_watching(tenant, ctx).await?;
    }
    for name in going {
        // In the foreground: the Deployment stays until its pods are gone.
        ctx.metrics.wrote("Deployment", "delete");
        match api.delete(&name, &DeleteParams::foreground()).await {
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            result => {
                result?;
                are_gone = false;
            }
        }
    }
    Ok(are_gone && !pods_left::is_any_left(tenant, components, ctx).await?)
}

/// Takes the tenant's alerts away: pods that go because somebody wants so are nothing to wake others for.
/// Rules in ConfigMaps name no tenant that is being deleted either.
async fn stop_watching(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<()> {
    if !ctx.optional.prometheus_rules.is_there() {
        return Ok(());
    }
    let name = names::api_name(tenant.name());
    take_away::<PrometheusRule, _>(tenant, &name, DocumentTenant::shared(ctx)).await?;
    Ok(())
}

/// The database of the tenant; `None` when nothing is known of it and nothing needs to be deleted.
async fn database(
    tenant: &Identified<DocumentTenant>,
    policy: DeletionPolicy,
    ctx: &Context,
) -> Result<Option<Database>> {
    let connection =
        match dereference::database_connection(tenant, &NamedSecrets::of(tenant, ctx)).await {
            Ok(connection) => connection,
            Err(Error::Permanent(problem)) => match (ctx.memory.connection(tenant.uid()), policy) {
                (Some(connection), _) => connection,
                (None, DeletionPolicy::Delete) => return Err(Error::Permanent(problem)),
                (None, DeletionPolicy::Retain) => {
                    let note = format!(
                        "{} The data stays, and the roles can still log in.",
                        problem.message
                    );
                    ctx.events.warn(tenant, "RolesLeft", note).await;
                    return Ok(None);
                }
            },
            Err(error) => return Err(error),
        };
    ctx.databases.open(&connection).await.map(Some)
}

/// The bucket that the spec names, if it names one.
async fn content(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
) -> Result<Option<(&'static str, Content)>> {
    let secrets = NamedSecrets::of(tenant, ctx);
    match workloads::content(&tenant.spec.workloads, &secrets).await {
        Err(Error::Permanent(problem)) => match ctx.memory.content(tenant.uid()) {
            Some(known) => Ok(Some(known)),
            None => Err(Error::Permanent(problem)),
        },
        result => result,
    }
}

/// Says how to let a tenant go whose data cannot be reached any more.
fn explain(error: Error) -> Error {
    let advice = |problem: Problem| Problem {
        message: format!(
            "{} The deletion waits for this; to give up the data as it is, remove the finalizer {DATA_FINALIZER}.",
            problem.message
        ),
        ..problem
    };
    match error {
        Error::Permanent(problem) => Error::Permanent(advice(problem)),
        Error::Transient(problem) => Error::Transient(advice(problem)),
        error @ (Error::Kubernetes(_) | Error::Panicked(_) | Error::Queued(_)) => error,
    }
}

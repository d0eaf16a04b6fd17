//! Reports: conditions and the rest of the status, patched only when they differ, and Events.

use docket_crds::ConditionType;
use docket_crds::names::OPERATOR_FIELD_MANAGER;
use std::time::Duration;

use docket_crds::{
    ApiStatus, ClientStatus, DeletionPolicy, DocumentTenant, DocumentTenantStatus, PlanStatus,
    ReconcileStatus, is_true, names,
};
use docket_schema::{PLATFORM, latest_version};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::controller::Action;

use super::apply::Change;
use super::rollout::Rollout;
use super::{findings, workload_status};
use crate::cache::pods::ObservedPod;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::identified::Identified;
use crate::status::apply::apply_status;
use crate::status::conditions::{Finding, conditions};
use crate::status::timeline::Timeline;
use crate::validated_tenant::ValidatedTenant;

/// What a reconcile that reached its end has to say.
pub(super) struct Progress<'a> {
    pub wanted: &'a ValidatedTenant,
    pub rollout: Rollout,
    /// Clients that the spec no longer names and whose data is still to be dealt with.
    pub remaining: Vec<ClientStatus>,
    pub changes: Vec<Change>,
    pub timeline: &'a Timeline,
}

/// Puts it on the status; returns how long it waits if that is held.
pub(super) async fn progress(
    tenant: &Identified<DocumentTenant>,
    progress: &Progress<'_>,
    ctx: &Context,
) -> Result<Option<Duration>> {
    let wanted = progress.wanted;
    let before = tenant.status.clone().unwrap_or_default();
    let pods = pods(tenant, ctx);
    let changed = (!progress.changes.is_empty()).then(|| progress.timeline.status());
    let findings = findings::of_progress(wanted, &progress.rollout, &pods);
    let mut clients: Vec<ClientStatus> = wanted
        .clients
        .iter()
        .map(|client| ClientStatus {
            name: client.name.clone(),
            schema: client.identity.schema.clone(),
            role: client.identity.role.clone(),
            retiring: client.retiring.then(|| client.identity.rotated().role),
            schema_version: latest_version(PLATFORM),
        })
        .chain(progress.remaining.iter().cloned())
        .collect();
    clients.sort_by(|a, b| a.name.cmp(&b.name));
    let mut status = DocumentTenantStatus {
        observed_generation: tenant.metadata.generation,
        conditions: conditions_now(tenant, &before, &with_loss(tenant, &before, findings, ctx)),
        api: Some(ApiStatus {
            url: api_url(wanted),
            replicas: progress.rollout.wanted,
            ready_replicas: progress.rollout.ready,
        }),
        workloads: workload_status::of_progress(
            wanted.workloads.names(),
            wanted.clients.len(),
            &progress.rollout,
            &before.workloads,
        ),
        client_count: i32::try_from(clients.len()).ok(),
        clients,
        reconcile: changed.clone().or(before.reconcile.clone()),
        ..DocumentTenantStatus::default()
    };
    let waits = findings::is_beginning(&before.conditions)
        || (changed.is_none()
            && before.observed_generation == status.observed_generation
            && findings::is_on_its_way(&before.conditions));
    if waits
        && findings::is_a_mere_start(wanted, &progress.rollout, &pods)
        && is_news(tenant, &status)
        && let Some(wait) = ctx.memory.hold_report(&wanted.uid, changed.as_ref())
    {
        tell_changes(tenant, &progress.changes, progress.timeline, ctx).await;
        return Ok(Some(wait));
    }
    let held = ctx.memory.release_report(&wanted.uid);
    status.reconcile = changed.or(held).or(status.reconcile);
    let notices = new_notices(&before.conditions, &status.conditions);
    let unmet = wanted.unmet.clone().filter(|unmet| {
        !is_said(unmet.reason, &before.conditions) && is_said(unmet.reason, &status.conditions)
    });
    let became_ready = !is_ready(&before.conditions) && is_ready(&status.conditions);
    let written = write_status(tenant.clone(), status, ctx).await?;
    tell_changes(&written, &progress.changes, progress.timeline, ctx).await;
    for condition in notices {
        ctx.events
            .warn(&written, &condition.reason, condition.message)
            .await;
    }
    if let Some(unmet) = unmet {
        ctx.events.warn(&written, unmet.reason, unmet.message).await;
    }
    if became_ready {
        let note = format!(
            "{} at {}",
            match wanted.clients.len() {
                1 => "1 client is served".to_owned(),
                count => format!("{count} clients are served"),
            },
            api_url(wanted)
        );
        ctx.events.tell(&written, "Ready", note).await;
    }
    Ok(None)
}

/// Tells what was changed, if anything was.
pub(super) async fn tell_changes(
    tenant: &Identified<DocumentTenant>,
    changes: &[Change],
    timeline: &Timeline,
    ctx: &Context,
) {
    if changes.is_empty() {
        return;
    }
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let note = format!("{} (trace {})", changes.join(", "), timeline.trace_id());
    tracing::info!(changes = changes.join(", "), "applied");
    ctx.events.tell(tenant, "Applied", note).await;
}

/// The status of a tenant as the first visit finds it; one that was visited has conditions already.
pub(super) fn begun(
    tenant: &Identified<DocumentTenant>,
    before: DocumentTenantStatus,
) -> DocumentTenantStatus {
    if !before.conditions.is_empty() {
        return before;
    }
    DocumentTenantStatus {
        observed_generation: tenant.metadata.generation,
        conditions: conditions_now(tenant, &before, &findings::of_beginning()),
        ..before
    }
}

/// Puts a failed reconcile on the status: the condition that is not met, and why; what runs goes on
/// running. Only what may pass by itself stays an error, to be tried again.
pub(super) async fn failure(
    tenant: &Identified<DocumentTenant>,
    error: Error,
    timeline: &Timeline,
    ctx: &Context,
) -> Result<Action> {
    let problem = error.problem();
    let before = tenant.status.clone().unwrap_or_default();
    let findings = findings::of_problem(&problem, rollout(tenant, ctx), &before.conditions);
    let names = tenant.spec.workloads.names();
    let status = DocumentTenantStatus {
        workloads: workload_status::of_problem(names, &problem.message, &before.workloads),
        ..that_says(findings, tenant, &before, ctx)
    };
    let news = before.conditions.iter().all(|condition| {
        condition.type_ != ConditionType::Ready.to_string()
            || condition.reason != problem.reason
            || condition.message != problem.message
    });
    let written = write_status(tenant.clone(), status, ctx).await?;
    if news {
        tracing::warn!(
            reason = problem.reason,
            error = problem.message,
            "not as it should be"
        );
        let note = format!("{} (trace {})", problem.message, timeline.trace_id());
        ctx.events.warn(&written, problem.reason, note).await;
    }
    if error.is_transient() {
        Err(error)
    } else {
        Ok(Action::await_change())
    }
}

/// Says of a tenant that is left as it is why that is so, and what would be changed.
pub(super) async fn at_rest(
    tenant: &Identified<DocumentTenant>,
    reason: &'static str,
    message: String,
    plan: Option<PlanStatus>,
    ctx: &Context,
) -> Result<()> {
    let before = tenant.status.clone().unwrap_or_default();
    let findings = findings::of_rest(reason, &message, rollout(tenant, ctx), &before.conditions);
    let status = DocumentTenantStatus {
        plan,
        ..that_says(findings, tenant, &before, ctx)
    };
    let news = !is_said(reason, &before.conditions) || before.plan != status.plan;
    let written = write_status(tenant.clone(), status, ctx).await?;
    if news {
        ctx.events.tell(&written, reason, message).await;
    }
    Ok(())
}

/// Says of a tenant that is being deleted that it goes, and what becomes of its data.
pub(super) async fn deletion(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<()> {
    let message = match tenant.spec.database.deletion_policy {
        DeletionPolicy::Retain => {
            "The pods end; then the clients' logins are taken, and their data stays, as \
             spec.database.deletionPolicy says."
        }
        DeletionPolicy::Delete => {
            "The pods end; then the clients' data is deleted, as spec.database.deletionPolicy says."
        }
    };
    let before = tenant.status.clone().unwrap_or_default();
    let findings = findings::of_deletion(message, &before.conditions);
    let news = !is_said(findings::DELETING, &before.conditions);
    let status = DocumentTenantStatus {
        api: None,
        workloads: Vec::new(),
        ..that_says(findings, tenant, &before, ctx)
    };
    let written = write_status(tenant.clone(), status, ctx).await?;
    if news {
        ctx.events
            .tell(&written, findings::DELETING, message.to_owned())
            .await;
    }
    Ok(())
}

/// The status of a tenant of which `findings` are new, and no plan is known.
fn that_says(
    findings: Vec<Finding>,
    tenant: &Identified<DocumentTenant>,
    before: &DocumentTenantStatus,
    ctx: &Context,
) -> DocumentTenantStatus {
    DocumentTenantStatus {
        observed_generation: tenant.metadata.generation,
        conditions: conditions_now(tenant, before, &with_loss(tenant, before, findings, ctx)),
        plan: None,
        reconcile: last_reconcile(tenant, before, ctx),
        ..before.clone()
    }
}

/// The last reconcile that changed something, told of or held.
fn last_reconcile(
    tenant: &Identified<DocumentTenant>,
    before: &DocumentTenantStatus,
    ctx: &Context,
) -> Option<ReconcileStatus> {
    let held = ctx.memory.release_report(tenant.uid());
    held.or(before.reconcile.clone())
}

/// Patches the status where it differs from what is there.
pub(super) async fn write_status(
    tenant: Identified<DocumentTenant>,
    status: DocumentTenantStatus,
    ctx: &Context,
) -> Result<Identified<DocumentTenant>> {
    if !is_news(&tenant, &status) {
        return Ok(tenant);
    }
    let status = without_objectives(status);
    Ok(apply_status(&tenant, &status, OPERATOR_FIELD_MANAGER, ctx).await?)
}

/// Whether `status` differs from what is there.
fn is_news(tenant: &Identified<DocumentTenant>, status: &DocumentTenantStatus) -> bool {
    let before = tenant.status.clone().map(without_objectives);
    before != Some(without_objectives(status.clone()))
}

/// What of a status is written here: the rest has a field manager of its own.
fn without_objectives(status: DocumentTenantStatus) -> DocumentTenantStatus {
    let type_ = ConditionType::ObjectivesMet.to_string();
    let mut conditions = status.conditions;
    conditions.retain(|condition| condition.type_ != type_);
    DocumentTenantStatus {
        conditions,
        objectives: Vec::new(),
        error_budget_remaining: None,
        ..status
    }
}

/// How far the pods are, where there is a Deployment.
fn rollout(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
) -> Option<(Rollout, Vec<ObservedPod>)> {
    let name = names::api_name(tenant.name());
    let namespace = tenant.namespace();
    let deployment = ctx.caches.deployments.get(namespace, &name)?;
    Some((Rollout::of(&deployment), pods(tenant, ctx)))
}

fn pods(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Vec<ObservedPod> {
    let mut pods = all_pods(tenant, ctx);
    pods.retain(|pod| !pod.ending);
    pods
}

/// Whether a pod is on its way out: it may still finish requests, and a rollout counts it no more.
pub(super) fn pods_are_ending(tenant: &Identified<DocumentTenant>, ctx: &Context) -> bool {
    all_pods(tenant, ctx).iter().any(|pod| pod.ending)
}

fn all_pods(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Vec<ObservedPod> {
    let namespace = tenant.namespace();
    ctx.caches.pods.of(namespace, tenant.name())
}

fn conditions_now(
    tenant: &Identified<DocumentTenant>,
    before: &DocumentTenantStatus,
    findings: &[Finding],
) -> Vec<Condition> {
    conditions(
        &before.conditions,
        findings,
        tenant.metadata.generation,
        Timestamp::now(),
    )
}

/// `findings` with what is known of telemetry that is lost.
fn with_loss(
    tenant: &Identified<DocumentTenant>,
    before: &DocumentTenantStatus,
    findings: Vec<Finding>,
    ctx: &Context,
) -> Vec<Finding> {
    let namespace = tenant.namespace();
    let loss = ctx
        .telemetry_loss
        .of(namespace, tenant.name(), &before.conditions);
    findings::with_loss(findings, loss.as_ref())
}

fn is_ready(conditions: &[Condition]) -> bool {
    ConditionType::Ready.among(conditions).is_some_and(is_true)
}

/// Whether this is the reason of `Ready`.
fn is_said(reason: &str, conditions: &[Condition]) -> bool {
    ConditionType::Ready
        .among(conditions)
        .is_some_and(|it| it.reason == reason)
}

/// The conditions that ask to mend something, but for those that did so before.
fn new_notices(before: &[Condition], now: &[Condition]) -> Vec<Condition> {
    let said = |condition: &Condition| {
        before
            .iter()
            .any(|old| old.type_ == condition.type_ && old.message == condition.message)
    };
    now.iter()
        .filter(|condition| findings::asks_to_mend(condition) && !said(condition))
        .cloned()
        .collect()
}

fn api_url(wanted: &ValidatedTenant) -> String {
    let scheme = if wanted.tls.is_some() {
        "https"
    } else {
        "http"
    };
    format!(
        "{scheme}://{}.{}.svc",
        names::api_name(&wanted.name),
        wanted.namespace
    )
}

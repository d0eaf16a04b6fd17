//! Reports how a reconcile of a tenant ended: writes the status where it differs, and tells Events.

use std::time::Duration;

use docket_crds::names::{OPERATOR_FIELD_MANAGER, component_name};
use docket_crds::{ConditionType, DocumentTenant, DocumentTenantStatus};
use jiff::Timestamp;

use super::apply::Change;
use crate::build::COMPONENTS;
use crate::context::Context;
use crate::error::Result;
use crate::identified::Identified;
use crate::status::apply::apply_status;
use crate::status::outcome::{Changed, Outcome, Sight};
use crate::status::report::report_of;
use crate::status::rollout::{Rollout, Rollouts};
use crate::status::timeline::Timeline;

/// Reports `outcome`; returns how long that waits if it is held.
pub(super) async fn report(
    tenant: &Identified<DocumentTenant>,
    outcome: Outcome<'_>,
    ctx: &Context,
) -> Result<Option<Duration>> {
    let tenant = ctx.memory.newest(tenant.clone());
    let sight = sight(&tenant, &outcome, ctx);
    let mut report = report_of(&tenant, &outcome, &sight, Timestamp::now());
    let changed = outcome.changed();
    if report.may_wait
        && is_news(&tenant, &report.status)
        && let Some(wait) = ctx
            .memory
            .hold_report(tenant.uid(), changed.map(|it| &it.reconcile))
    {
        tell(&tenant, changed, ctx).await;
        return Ok(Some(wait));
    }
    if !matches!(outcome, Outcome::Begun(_))
        && let Some(held) = ctx.memory.release_report(tenant.uid())
        && changed.is_none()
    {
        report.status.reconcile = Some(held);
    }
    let written = write(tenant, report.status, ctx).await?;
    tell(&written, changed, ctx).await;
    if let Outcome::Failed { problem, .. } = outcome
        && !report.notes.is_empty()
    {
        let (reason, error) = (problem.reason, &problem.message);
        tracing::warn!(reason, error, "not as it should be");
    }
    for note in report.notes {
        ctx.events.publish(&written, note).await;
    }
    Ok(None)
}

/// What was changed, for a report; none where nothing was.
pub(super) fn changed(changes: &[Change], timeline: &Timeline) -> Option<Changed> {
    let what: Vec<String> = changes.iter().map(ToString::to_string).collect();
    (!what.is_empty()).then(|| Changed {
        what: what.join(", "),
        reconcile: timeline.status(),
    })
}

/// Tells what was changed, if anything was.
pub(super) async fn tell(
    tenant: &Identified<DocumentTenant>,
    changed: Option<&Changed>,
    ctx: &Context,
) {
    if let Some(changed) = changed {
        tracing::info!(changes = changed.what, "applied");
        ctx.events.publish(tenant, changed.note()).await;
    }
}

/// Whether a pod is on its way out: it may still finish requests, and a rollout counts it no more.
pub(super) fn pods_are_ending(tenant: &Identified<DocumentTenant>, ctx: &Context) -> bool {
    let pods = ctx.caches.pods.of(tenant.namespace(), tenant.name());
    pods.iter().any(|pod| pod.ending)
}

/// What the caches know of the tenant, as far as a report after `outcome` speaks of it.
fn sight(tenant: &Identified<DocumentTenant>, outcome: &Outcome<'_>, ctx: &Context) -> Sight {
    let (namespace, name) = (tenant.namespace(), tenant.name());
    let rollouts = match outcome {
        Outcome::Begun(_) => return Sight::default(),
        Outcome::Progress(_) | Outcome::Deleting { .. } => None,
        Outcome::Failed { .. } | Outcome::AtRest { .. } => rollouts(namespace, name, ctx),
    };
    let mut pods = ctx.caches.pods.of(namespace, name);
    pods.retain(|pod| !pod.ending);
    let conditions = tenant.status.as_ref().map(|it| &*it.conditions);
    let conditions = conditions.unwrap_or_default();
    Sight {
        rollouts,
        pods,
        loss: ctx.telemetry_loss.of(namespace, name, conditions),
    }
}

/// How far the pods of each component are that has a Deployment; none where none has.
fn rollouts(namespace: &str, tenant: &str, ctx: &Context) -> Option<Rollouts> {
    let deployments = COMPONENTS.iter().filter_map(|component| {
        let name = component_name(tenant, component);
        ctx.caches.deployments.get(namespace, &name)
    });
    let rollouts = deployments.map(|it| Rollout::of_component(&it)).collect();
    Some(rollouts).filter(|rollouts| *rollouts != Rollouts::default())
}

/// Patches the status where it differs from what is there.
async fn write(
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

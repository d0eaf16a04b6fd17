//! Read, decide, act, report.

mod apply;
mod buckets;
mod cleanup;
mod dereference;
mod findings;
mod identity;
mod notices;
mod plan;
mod provision;
mod release;
mod report;
mod rollout;
mod rotate;
mod telemetry;
mod validate;
mod workload_status;
mod workloads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_crds::{DeletionPolicy, DocumentTenant};
use jiff::Timestamp;
use kube::runtime::controller::Action;
use rand::RngExt;
use tracing::{Instrument, info_span};

use self::buckets::Buckets;
use self::dereference::Purpose;
use self::release::Release;
use self::rollout::Rollout;
use crate::build;
use crate::context::Context;
use crate::credentials::secret_value::RandomSecrets;
use crate::error::{Error, Result};
use crate::identified::Identified;
use crate::status::timeline::Timeline;

/// How long until a steady tenant is looked at again, in case its database was changed by others.
const RESYNC: Duration = Duration::from_secs(15 * 60);

/// How soon a tenant is looked at again whose rotation is due and could not begin.
const SOON: Duration = Duration::from_secs(10);

/// Brings one tenant to what its spec asks for, and says on its status what became of it.
///
/// # Errors
/// Transient ones, to be tried again after a backoff; what the user must change is on the status
/// and no error.
pub async fn reconcile(tenant: Arc<DocumentTenant>, ctx: Arc<Context>) -> Result<Action> {
    let Some(tenant) = Identified::new(tenant) else {
        tracing::error!("an object without an identity is no tenant that was ever stored");
        return Ok(Action::await_change());
    };
    if let Some(wait) = ctx.memory.cooldown(tenant.uid()) {
        return Ok(Action::requeue(wait));
    }
    let span = info_span!(
        parent: None,
        "reconcile",
        k8s.namespace.name = tenant.namespace(),
        docket.tenant = tenant.name(),
        docket.generation = tenant.metadata.generation,
    );
    let start = Instant::now();
    let result = visit(tenant.clone(), &ctx).instrument(span).await;
    ctx.memory.reconciled(tenant.uid());
    let outcome = result.as_ref().map_or_else(Error::category, |_| "ok");
    ctx.metrics.reconciled(outcome, start.elapsed());
    result
}

async fn visit(tenant: Identified<DocumentTenant>, ctx: &Context) -> Result<Action> {
    // The watches go on while a reconcile waits for what they bring first.
    ctx.filled
        .clone()
        .wait_for(|filled| *filled)
        .await
        .map_err(|_| Error::stopping())?;
    let tenant = ctx.memory.newest(tenant);
    if tenant.metadata.deletion_timestamp.is_some() {
        return Box::pin(cleanup::cleanup(&tenant, ctx)).await;
    }
    if tenant.spec.paused || plan::is_asked_for(&tenant) {
        return Box::pin(rest(&tenant, ctx)).await;
    }
    let tenant = identity::ensure_finalizer(tenant, ctx).await?;
    let mut timeline = Timeline::start(tenant.metadata.generation.unwrap_or_default());
    match Box::pin(pursue(&tenant, ctx, &mut timeline)).await {
        Ok(next) => {
            ctx.memory.succeeded(tenant.uid());
            let resync = RESYNC.mul_f64(rand::rng().random_range(0.8..1.2));
            Ok(Action::requeue(
                next.map_or(resync, |next| next.min(resync)),
            ))
        }
        Err(error) => {
            ctx.memory.forget_inspected(tenant.uid());
            let tenant = ctx.memory.newest(tenant);
            report::failure(&tenant, error, &timeline, ctx).await
        }
    }
}

/// Leaves a tenant as it is, and says so.
async fn rest(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<Action> {
    let plan = match plan::is_asked_for(tenant) {
        false => None,
        true => match plan::plan(tenant, ctx).instrument(info_span!("plan")).await {
            Ok(plan) => Some(plan),
            Err(error) => {
                let timeline = Timeline::start(tenant.metadata.generation.unwrap_or_default());
                return report::failure(tenant, error, &timeline, ctx).await;
            }
        },
    };
    ctx.memory.succeeded(tenant.uid());
    let (reason, why) = match tenant.spec.paused {
        true => (
            "Paused",
            "Nothing is changed while spec.paused is true.".to_owned(),
        ),
        false => (
            "Planned",
            format!(
                "Nothing is changed while the annotation {} is true.",
                docket_crds::annotations::PLAN
            ),
        ),
    };
    let message = match &plan {
        Some(plan) => format!("{why} {}", plan::summary(plan)),
        None => why,
    };
    report::at_rest(tenant, reason, message, plan, ctx)
        .instrument(info_span!("status"))
        .await?;
    Ok(Action::await_change())
}

/// Returns after how long to look again by ourselves, if at a certain time.
async fn pursue(
    tenant: &Identified<DocumentTenant>,
    ctx: &Context,
    timeline: &mut Timeline,
) -> Result<Option<Duration>> {
    let (seen, database) = timeline
        .phase(
            "dereference",
            info_span!("dereference"),
            dereference::dereference(tenant, Purpose::Change, ctx),
        )
        .await?;
    let now = Timestamp::now();
    let mut wanted = validate::validate(tenant, &seen, &ctx.images, now, &mut RandomSecrets)?;
    let first = dereference::nothing_was_issued(tenant);
    let tenant = identity::record(tenant.clone(), &wanted, ctx).await?;

    let secrets = build::secrets(&wanted);
    let mut changes = timeline
        .phase(
            "credentials",
            info_span!("credentials"),
            apply::secrets(&tenant, &wanted, secrets, first, ctx),
        )
        .await?;
    changes.extend(
        timeline
            .phase(
                "database",
                info_span!("database"),
                provision::provision(&wanted, &database),
            )
            .await?,
    );
    provision::remember(&wanted, &seen, ctx);
    let children = info_span!("build").in_scope(|| build::children(&wanted));
    let applied = timeline
        .phase(
            "apply",
            info_span!("apply"),
            apply::children(&tenant, &wanted, children, ctx),
        )
        .await?;
    changes.extend(applied.changes);
    let rollout = applied.rollouts.into_iter().sum::<Rollout>();
    let mut remaining = wanted.released.clone();
    // Pods that still serve a client would write what nobody would clean up.
    if rollout.is_complete() && !remaining.is_empty() {
        let how = match tenant.spec.database.deletion_policy {
            DeletionPolicy::Retain => Release::Retain,
            DeletionPolicy::Delete => Release::Delete(
                Buckets::new(&tenant, wanted.workloads.content(), ctx),
                &ctx.fence,
            ),
        };
        let released = release::release(&remaining, &wanted.uid, how, ctx.turn, &database)
            .instrument(info_span!("release"))
            .await?;
        changes.extend(released.changes);
        if released.more {
            report::tell_changes(&tenant, &changes, timeline, ctx).await;
            return Ok(Some(Duration::ZERO));
        }
        remaining.clear();
    }
    if rollout.is_complete() && !report::pods_are_ending(&tenant, ctx) {
        let buckets = Buckets::new(&tenant, wanted.workloads.content(), ctx);
        let dropping = release::drop_workloads(&wanted, (buckets, &ctx.fence), ctx.turn, &database);
        let dropped = dropping.instrument(info_span!("drop_workloads")).await?;
        changes.extend(dropped.changes);
        if dropped.more {
            report::tell_changes(&tenant, &changes, timeline, ctx).await;
            return Ok(Some(Duration::ZERO));
        }
    }
    if rollout.is_complete() && !report::pods_are_ending(&tenant, ctx) {
        changes.extend(
            rotate::finish(&tenant, &mut wanted, &database, ctx)
                .instrument(info_span!("rotation"))
                .await?,
        );
    }
    let progress = report::Progress {
        wanted: &wanted,
        rollout,
        remaining,
        changes,
        timeline,
    };
    let held = report::progress(&ctx.memory.newest(tenant), &progress, ctx)
        .instrument(info_span!("status"))
        .await?;
    // Whoever is still logged in tells nobody when that ends.
    let retiring = wanted.clients.iter().any(|client| client.retiring);
    let rotation = retiring.then(Timestamp::now).or(wanted.next_rotation);
    Ok(held.into_iter().chain(rotation.map(from_now)).min())
}

/// The time until `then`; one that waits for something else is looked at now and then.
fn from_now(then: Timestamp) -> Duration {
    let wait = then.duration_since(Timestamp::now());
    Duration::try_from(wait).unwrap_or_default().max(SOON)
}

#[cfg(test)]
mod tests;

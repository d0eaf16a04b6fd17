//! What a reconcile of a tenant is: read, decide, act, report.

use std::time::Duration;

use docket_crds::annotations::{self, ask_for_plan};
use docket_crds::{DocumentTenant, names};
use jiff::Timestamp;
use kube::ResourceExt;
use tracing::{Instrument, Span, info_span};

use super::buckets::Buckets;
use super::dereference::{Purpose, dereference};
use super::release::{Released, Releasing};
use super::{
    apply, cleanup, plan, pods_left, provision, release, report, rotate, spec_text, validate,
};
use crate::build;
use crate::context::Context;
use crate::credentials::secret_value::RandomSecrets;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::identified::Identified;
use crate::memory::TenantMemory;
use crate::reconciled_kind::{Next, ReconciledKind, Shared};
use crate::status::outcome::{Outcome, Progress};
use crate::status::rollout::Rollouts;
use crate::status::timeline::Timeline;
use crate::validated_tenant::{Notice, ValidatedClient, ValidatedTenant};

/// How soon a tenant is looked at again whose rotation is due and could not begin.
const SOON: Duration = Duration::from_secs(10);

impl ReconciledKind for DocumentTenant {
    const FINALIZER: &'static str = names::DATA_FINALIZER;

    type Context = Context;
    type Memory = TenantMemory;

    fn shared(ctx: &Context) -> Shared<'_, Self> {
        Shared {
            client: &ctx.client,
            caches: &ctx.caches,
            filled: &ctx.filled,
            memories: (*ctx.memory).as_ref(),
            metrics: &ctx.metrics,
            events: &ctx.events,
        }
    }

    fn span(tenant: &Identified<Self>) -> Span {
        info_span!(
            parent: None,
            "reconcile",
            k8s.namespace.name = tenant.namespace(),
            docket.tenant = tenant.name(),
            docket.generation = tenant.metadata.generation,
        )
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        self.spec.secrets().map(|secret| &*secret.name)
    }

    fn is_at_rest(&self) -> bool {
        self.spec.paused || ask_for_plan(self.annotations())
    }

    async fn reconcile(
        tenant: &Identified<Self>,
        timeline: &mut Timeline,
        ctx: &Context,
    ) -> Result<Next> {
        spec_text::check("spec", &tenant.spec)?;
        match tenant.is_at_rest() {
            true => rest(tenant, ctx).await,
            false => pursue(tenant, timeline, ctx).await,
        }
    }

    async fn cleanup(
        tenant: &Identified<Self>,
        timeline: &Timeline,
        ctx: &Context,
    ) -> Result<Next> {
        cleanup::cleanup(tenant, timeline, ctx).await
    }

    async fn report_failure(
        tenant: &Identified<Self>,
        error: &Error,
        timeline: &Timeline,
        ctx: &Context,
    ) -> Result<()> {
        ctx.memory.forget_inspected(tenant.uid());
        let outcome = Outcome::Failed {
            problem: &error.problem(),
            trace_id: timeline.trace_id(),
        };
        report::report(tenant, outcome, ctx).await?;
        Ok(())
    }
}

/// Leaves a tenant as it is, and says so.
async fn rest(tenant: &Identified<DocumentTenant>, ctx: &Context) -> Result<Next> {
    let plan = match ask_for_plan(tenant.annotations()) {
        true => Some(
            plan::plan(tenant, ctx)
                .instrument(info_span!("plan"))
                .await?,
        ),
        false => None,
    };
    let (reason, because) = match tenant.spec.paused {
        true => ("Paused", "spec.paused is true".to_owned()),
        false => (
            "Planned",
            format!("the annotation {} is true", annotations::PLAN),
        ),
    };
    let summary = plan
        .as_ref()
        .map(|plan| format!(" {}", plan::summary(plan)));
    let outcome = Outcome::AtRest {
        reason,
        message: format!(
            "Nothing is changed while {because}.{}",
            summary.unwrap_or_default()
        ),
        plan,
    };
    report::report(tenant, outcome, ctx)
        .instrument(info_span!("status"))
        .await?;
    Ok(Next::Change)
}

/// Brings a tenant to what it asks for.
async fn pursue(
    tenant: &Identified<DocumentTenant>,
    timeline: &mut Timeline,
    ctx: &Context,
) -> Result<Next> {
    let (seen, database) = timeline
        .phase(
            "dereference",
            info_span!("dereference"),
            dereference(tenant, Purpose::Change, ctx),
        )
        .await?;
    let now = Timestamp::now();
    let wanted = validate::validate(tenant, &seen, &ctx.images, now, &mut RandomSecrets)?;
    report::report(tenant, Outcome::Begun(&wanted), ctx).await?;

    let revoked = rotate::revoke(&wanted, &database).await?;
    let secrets = build::secrets(&wanted);
    let mut changes = timeline
        .phase(
            "credentials",
            info_span!("credentials"),
            apply::secrets(tenant, secrets, seen.nothing_was_issued, ctx),
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
    changes.extend(revoked);
    provision::remember(&wanted, &seen, ctx);
    let children = info_span!("build").in_scope(|| build::children(&wanted));
    let applied = timeline
        .phase(
            "apply",
            info_span!("apply"),
            apply::children(tenant, children, ctx),
        )
        .await?;
    changes.extend(applied.changes);
    let made = Made {
        wanted,
        rollouts: applied.rollouts,
        changes,
    };
    finish(tenant, made, &database, timeline, ctx).await
}

/// What a reconcile made of a tenant.
struct Made {
    wanted: ValidatedTenant,
    rollouts: Rollouts,
    changes: Vec<apply::Change>,
}

/// Lets go what no pod uses any more, and reports.
async fn finish(
    tenant: &Identified<DocumentTenant>,
    made: Made,
    database: &Database,
    timeline: &Timeline,
    ctx: &Context,
) -> Result<Next> {
    let Made {
        mut wanted,
        rollouts,
        mut changes,
    } = made;
    let mut remaining = wanted.released.clone();
    let was_retiring = is_retiring(&wanted);
    // First: what cannot be let go must not keep anybody logged in.
    rotate::end_sessions(&mut wanted, database).await?;
    let is_settled = rollouts.is_complete() && !report::pods_are_ending(tenant, ctx);
    // Pods that still serve a client would write what nobody would clean up.
    if is_settled && lets_go(&wanted) && !pods_left::is_any_ending(tenant, ctx).await? {
        let released = let_go(tenant, &wanted, database, ctx).await?;
        changes.extend(released.changes);
        if released.more || released.stuck.is_some() {
            report::tell(tenant, report::changed(&changes, timeline).as_ref(), ctx).await;
        }
        match (released.more, released.stuck) {
            (true, _) => return Ok(Next::Again(Some(Duration::ZERO))),
            (false, Some(stuck)) => return Err(stuck),
            (false, None) => {}
        }
        for left in &released.left {
            let message = release::role_left(left);
            wanted.database_notices.push(Notice {
                reason: "RoleLeft",
                message,
            });
        }
        remaining = released
            .left
            .into_iter()
            .map(|(client, _)| client)
            .collect();
    }
    if is_settled {
        changes.extend(
            rotate::finish(tenant, &mut wanted, database, ctx)
                .instrument(info_span!("rotation"))
                .await?,
        );
    }
    let outcome = Outcome::Progress(Progress {
        wanted: &wanted,
        rollouts: &rollouts,
        remaining,
        changed: report::changed(&changes, timeline),
    });
    let held = report::report(tenant, outcome, ctx)
        .instrument(info_span!("status"))
        .await?;
    // Whoever is still logged in tells nobody when that ends, and the next rotation may wait for it.
    let retiring = was_retiring || is_retiring(&wanted);
    let rotation = retiring.then(Timestamp::now).or(wanted.next_rotation);
    let again = held.into_iter().chain(rotation.map(from_now)).min();
    Ok(Next::Again(again))
}

/// Whether there still is something of a login that another has replaced.
fn is_retiring(wanted: &ValidatedTenant) -> bool {
    let mut clients = wanted.clients.iter();
    clients.any(|client| client.retiring.is_some())
}

/// Whether there is data of clients or workloads that are no longer asked for.
fn lets_go(wanted: &ValidatedTenant) -> bool {
    let drops = |client: &ValidatedClient| !client.dropped.is_empty();
    !wanted.released.is_empty() || wanted.clients.iter().any(drops)
}

/// Retains or deletes it, clients first.
async fn let_go(
    tenant: &Identified<DocumentTenant>,
    wanted: &ValidatedTenant,
    database: &Database,
    ctx: &Context,
) -> Result<Released> {
    let releasing = Releasing {
        tenant,
        database,
        buckets: Buckets::new(tenant, wanted.workloads.content(), ctx),
        ctx,
    };
    let mut released = Released::default();
    if !wanted.released.is_empty() {
        released = release::release(&wanted.released, releasing)
            .instrument(info_span!("release"))
            .await?;
    }
    if released.more {
        return Ok(released);
    }
    let dropped = release::drop_workloads(wanted, releasing)
        .instrument(info_span!("drop_workloads"))
        .await?;
    released.changes.extend(dropped.changes);
    released.more = dropped.more;
    released.stuck = released.stuck.or(dropped.stuck);
    Ok(released)
}

/// The time until `then`; one that waits for something else is looked at now and then.
fn from_now(then: Timestamp) -> Duration {
    let wait = then.duration_since(Timestamp::now());
    Duration::try_from(wait).unwrap_or_default().max(SOON)
}

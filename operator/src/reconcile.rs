//! A reconcile of an object, of whichever kind: its turn, its finalizer, its trace and its end. What is read,
//! decided and done is up to the kind; a tenant's is in [`tenant`].

mod apply;
mod buckets;
mod cleanup;
mod content_ownership;
mod dereference;
mod finalizer;
mod issuer;
mod named_secrets;
mod network;
mod notices;
mod passwords;
mod plan;
mod pods_left;
mod provision;
mod release;
mod report;
mod rotate;
mod spec_text;
mod telemetry;
mod tenant;
mod validate;
mod workloads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_instrumentation::catch_panic;
use kube::runtime::controller::Action;
use rand::RngExt;
use tracing::Instrument;

use crate::error::{Error, Result};
use crate::identified::Identified;
use crate::reconciled_kind::{Next, ReconciledKind};
use crate::status::timeline::Timeline;

/// How long until a steady object is looked at again, in case its database was changed by others.
const RESYNC: Duration = Duration::from_secs(15 * 60);

/// Brings one object to what it asks for, and says on its status what became of it.
///
/// # Errors
/// Transient ones, to be tried again after a backoff, a panic among them; what the user must change is on the
/// status and no error.
pub async fn reconcile<K: ReconciledKind>(object: Arc<K>, ctx: Arc<K::Context>) -> Result<Action> {
    let Some(object) = Identified::new(object) else {
        tracing::error!("an object without an identity was never stored");
        return Ok(Action::await_change());
    };
    let shared = K::shared(&ctx);
    if let Some(wait) = shared.memories.cooldown(object.uid()) {
        return Ok(Action::requeue(wait));
    }
    let start = Instant::now();
    let span = K::span(&object);
    // What panics here would end the controller, and with it the reconciles of all.
    let visited = catch_panic(visit(object.clone(), &ctx).instrument(span)).await;
    let result = visited.unwrap_or_else(|panicked| Err(panicked.into()));
    shared.memories.reconciled(object.uid());
    let outcome = result.as_ref().map_or_else(Error::category, |_| "ok");
    shared.metrics.reconciled(outcome, start.elapsed());
    result
}

async fn visit<K: ReconciledKind>(object: Identified<K>, ctx: &K::Context) -> Result<Action> {
    let shared = K::shared(ctx);
    // The watches go on while a reconcile waits for what they bring first.
    let mut filled = shared.filled.clone();
    filled
        .wait_for(|filled| *filled)
        .await
        .map_err(|_| Error::stopping())?;
    let mut object = shared.memories.newest(object);
    let is_deleted = object.meta().deletion_timestamp.is_some();
    if is_deleted && !finalizer::is_on(&object) {
        return Ok(Action::await_change());
    }
    if !is_deleted && !object.is_at_rest() {
        object = finalizer::ensure(object, ctx).await?;
    }
    let mut timeline = Timeline::start(object.meta().generation.unwrap_or_default());
    // On the heap: a thread's stack is small. A panic is told as any other failure.
    let outcome = match is_deleted {
        true => catch_panic(Box::pin(K::cleanup(&object, &timeline, ctx))).await,
        false => catch_panic(Box::pin(K::reconcile(&object, &mut timeline, ctx))).await,
    };
    let outcome = outcome.unwrap_or_else(|panicked| Err(panicked.into()));
    let object = shared.memories.newest(object);
    match outcome {
        Ok(next) => {
            shared.memories.succeeded(object.uid());
            act_on(next, &object, &timeline, ctx).await
        }
        Err(error @ Error::Queued(_)) => Err(error),
        Err(error) => {
            K::report_failure(&object, &error, &timeline, ctx).await?;
            match error.is_transient() {
                true => Err(error),
                false => Ok(Action::await_change()),
            }
        }
    }
}

async fn act_on<K: ReconciledKind>(
    next: Next,
    object: &Identified<K>,
    timeline: &Timeline,
    ctx: &K::Context,
) -> Result<Action> {
    match next {
        Next::Again(after) => {
            let resync = RESYNC.mul_f64(rand::rng().random_range(0.8..1.2));
            let after = after.map_or(resync, |after| after.min(resync));
            Ok(Action::requeue(after))
        }
        Next::Change => Ok(Action::await_change()),
        Next::Gone => {
            finalizer::remove(object, ctx).await?;
            tracing::info!(trace_id = timeline.trace_id(), "deleted");
            Ok(Action::await_change())
        }
    }
}

#[cfg(test)]
mod tests;

//! Objectives of all tenants: asks a Prometheus for their requests, one query a window, and says on
//! each status how far they are met.
//!
//! Beside the reconciles: what a tenant promised is no part of what it is made of, and a Prometheus
//! that is slow or gone keeps nothing from being served. The fields of the status that are written
//! here have a field manager of their own.

mod prometheus;
mod report;
mod requests;
mod status;

use std::sync::Arc;
use std::time::Duration;

use docket_crds::DocumentTenant;
use kube::runtime::reflector::Store;
use tracing::{Instrument, info_span};

pub use self::prometheus::{Prometheus, Source};
use self::requests::MeasuredRequests;
use crate::context::Context;
use crate::identified::Identified;
use crate::monitoring::tenant_objectives::objectives_of;

/// For how long a source may fail before that is said.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asks and reports, and then waits for `interval`, for as long as it is polled; no status changes more often.
pub async fn watch(
    tenants: Store<DocumentTenant>,
    source: Option<Prometheus>,
    namespaces: Vec<String>,
    interval: Duration,
    ctx: Arc<Context>,
) {
    let mut known = MeasuredRequests::new(namespaces);
    let mut filled = ctx.filled.clone();
    if filled.wait_for(|filled| *filled).await.is_err() {
        return;
    }
    loop {
        // After each round, and before the first: neither a slow Prometheus nor a new leader writes sooner.
        tokio::time::sleep(interval).await;
        let span = info_span!(parent: None, "objectives");
        round(&tenants, source.as_ref(), &mut known, &ctx)
            .instrument(span)
            .await;
    }
}

async fn round(
    tenants: &Store<DocumentTenant>,
    source: Option<&Prometheus>,
    known: &mut MeasuredRequests,
    ctx: &Context,
) {
    let mut concerned: Vec<Identified<DocumentTenant>> = tenants
        .state()
        .into_iter()
        .filter_map(Identified::new)
        .map(|tenant| ctx.memory.newest(tenant))
        .filter(|tenant| tenant.metadata.deletion_timestamp.is_none())
        .filter(|tenant| !tenant.spec.objectives.is_empty() || status::is_reported(tenant))
        .collect();
    if concerned.is_empty() {
        return;
    }
    concerned.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
    let objectives: Vec<_> = concerned.iter().flat_map(objectives_of).collect();
    let answers = match source {
        None => Err(status::Unknown::NoSource),
        Some(source) => match known.ask(source, &objectives).await {
            Ok(known) => Ok(known),
            // One answer that fails is no news.
            Err(failure) if failure.since.elapsed() < PATIENCE => return,
            Err(failure) => Err(status::Unknown::Unavailable(failure.why)),
        },
    };
    for tenant in concerned {
        let wanted = status::of(&tenant, answers.as_ref());
        if let Err(error) = report::report(&tenant, &wanted, ctx).await {
            tracing::warn!(
                docket.tenant = tenant.name(),
                k8s.namespace.name = tenant.namespace(),
                %error,
                "objectives cannot be reported now"
            );
        }
    }
}

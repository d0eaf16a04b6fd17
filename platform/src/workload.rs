//! What the rest of the server may know of a workload: this, and nothing else.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;

use axum::Router;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::client_routes::ClientRoutes;
use crate::content_store::ContentStore;
use crate::health::Finding;
use crate::maintenance::Task;
use crate::middleware::layers::{self, Layers};
use crate::middleware::scope::Scope;
use crate::platform::Platform;
use crate::problem::ProblemList;
use crate::usage::Counters;

/// What a tenant runs for its clients, beside other workloads.
pub trait Workload: Debug + Send + Sync + 'static {
    /// As the spec has it, as its migrations are kept, as the OpenAPI document tags its routes, and as metrics
    /// and objectives name them.
    fn name(&self) -> &'static str;

    /// What it is, for readers of the OpenAPI document.
    fn description(&self) -> &'static str;

    /// What a token needs for what the platform itself tells about it.
    fn scopes(&self) -> WorkloadScopes;

    /// Tables that a client's schema must have for it. Its migrations make them: those that `docket_schema`
    /// has under its [name](Self::name).
    fn tables(&self) -> &'static [&'static str];

    /// The kinds of things that its entries in the audit log are about; nobody else has them.
    fn audit_subjects(&self) -> &'static [&'static str] {
        &[]
    }

    /// The problems that it brings.
    fn problems(&self) -> ProblemList;

    /// Its routes for clients, each behind a gate. They stand under `/clients/{client}`.
    fn routes(&self) -> ClientRoutes;

    /// Where its routes stand besides, such as `/api/v1`: the client is whom the credential names, or else
    /// the header `X-Client`. A gateway must lead there, which the operator is told with the same prefixes.
    fn root_prefixes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Its routes for callers inside the tenant's namespace, each behind a gate, on a port of their own.
    fn internal_routes(&self) -> Router {
        Router::new()
    }

    /// Where it keeps bytes, if it does: health asks whether that works.
    fn content(&self) -> Option<&ContentStore> {
        None
    }

    /// What is to be done for each client from time to time.
    fn tasks(&self) -> Vec<Arc<dyn Task>> {
        Vec::new()
    }

    /// What it counts of what a client stores, if quotas or users ask for that.
    fn counters(&self) -> Option<&'static Counters> {
        None
    }

    /// Components that `/health` shows beside those of the platform, by name. They make it degraded at
    /// worst: probes ask, and what a workload depends on is no reason to take its server out.
    fn components(&self) -> Vec<(&'static str, Finding)> {
        Vec::new()
    }

    /// What it does by itself until `stop`, beside its [tasks](Self::tasks).
    fn background(&self, _stop: CancellationToken) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }
}

/// Scopes of routes that are not the workload's own.
#[derive(Clone, Copy, Debug)]
pub struct WorkloadScopes {
    /// To see how much is stored.
    pub read: Scope,
    /// To see who changed what.
    pub admin: Scope,
}

/// Tables of what all workloads share, and those of `workloads`.
pub fn tables(workloads: &[Arc<dyn Workload>]) -> Vec<&'static str> {
    let shared = [
        crate::audit::TABLE,
        crate::usage::TABLE,
        crate::idempotency::TABLE,
        crate::maintenance::TABLE,
    ];
    let own = workloads.iter().flat_map(|workload| workload.tables());
    shared.into_iter().chain(own.copied()).collect()
}

/// The problems of the platform, of the tenant's own issuer if there is one, and then those of each of
/// `workloads`.
pub fn problems(platform: &Platform, workloads: &[Arc<dyn Workload>]) -> Vec<ProblemList> {
    let of_issuer = platform.access.own_issuer.iter();
    let own = workloads.iter().map(|workload| workload.problems());
    std::iter::once(crate::error::kinds::PROBLEMS)
        .chain(of_issuer.map(|_| crate::issuer::PROBLEMS))
        .chain(own)
        .collect()
}

/// The client routes of `workloads`, and those about what they share, each with `layers` around it that know
/// whose it is.
///
/// # Panics
/// When two workloads have the same subject of audit, or counter: the first server that is put together shows
/// it.
pub fn routes(
    platform: &Platform,
    workloads: &[Arc<dyn Workload>],
    layers: &Arc<Layers>,
) -> OpenApiRouter {
    let mut subjects = HashSet::new();
    let own = [&crate::issuer::AUDIT_SUBJECT];
    let of_workloads = workloads.iter().flat_map(|it| it.audit_subjects());
    let mut all = own.into_iter().chain(of_workloads);
    assert!(
        all.all(|subject| subjects.insert(subject)),
        "two subjects of audit have the same name"
    );
    let own = workloads.iter().map(|workload| {
        let routes = workload.routes();
        let prefixes = workload.root_prefixes().iter();
        let at_root = prefixes.map(|prefix| routes.at_root(prefix));
        let everywhere = at_root.fold(routes.under_clients(), OpenApiRouter::merge);
        (workload.name(), everywhere)
    });
    let audit = crate::audit::routes(platform, workloads).under_clients();
    let usage = crate::usage::routes(platform, workloads).under_clients();
    own.chain([(layers::PLATFORM, audit.merge(usage))])
        .map(|(workload, routes)| around(layers, workload, routes))
        .fold(OpenApiRouter::new(), OpenApiRouter::merge)
}

/// The routes of `workloads` for callers inside the tenant's namespace, in the same way.
pub fn internal_routes(workloads: &[Arc<dyn Workload>], layers: &Arc<Layers>) -> Router {
    let routes = workloads.iter().map(|workload| {
        layers::around_clients(layers, workload.name(), workload.internal_routes())
    });
    routes.fold(Router::new(), Router::merge)
}

fn around(layers: &Arc<Layers>, workload: &'static str, routes: OpenApiRouter) -> OpenApiRouter {
    let (routes, openapi) = routes.split_for_parts();
    let routes = layers::around_clients(layers, workload, routes);
    OpenApiRouter::with_openapi(openapi).merge(routes.into())
}

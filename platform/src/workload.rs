//! What the rest of the server may know of a workload: this, and nothing else.

use std::fmt::Debug;
use std::sync::Arc;

use axum::Router;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::content_store::ContentStore;
use crate::database::Statement;
use crate::health::Finding;
use crate::maintenance::Task;
use crate::middleware::layers::{self, Layers};
use crate::middleware::scope::Scope;
use crate::problem::ProblemList;

/// What a tenant runs for its clients, beside other workloads.
pub trait Workload: Debug + Send + Sync + 'static {
    /// As the OpenAPI document tags its routes, and as metrics and objectives name them.
    fn name(&self) -> &'static str;

    /// What it is, for readers of the OpenAPI document.
    fn description(&self) -> &'static str;

    /// What a token needs for what the platform itself tells about it.
    fn scopes(&self) -> WorkloadScopes;

    /// Tables that a client's schema must have for it.
    fn tables(&self) -> &'static [&'static str];

    /// The problems that it brings.
    fn problems(&self) -> ProblemList;

    /// Its routes for clients, each behind a gate.
    fn routes(&self) -> OpenApiRouter;

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

    /// Counts what a client stores: one row with `documents` and `bytes`.
    fn stored(&self) -> Option<&'static Statement> {
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

/// The problems of the platform, and then those of each of `workloads`.
pub fn problems(workloads: &[Arc<dyn Workload>]) -> Vec<ProblemList> {
    let own = workloads.iter().map(|workload| workload.problems());
    std::iter::once(crate::error::kinds::PROBLEMS)
        .chain(own)
        .collect()
}

/// The client routes of `workloads`, and those about what they share, each with `layers` around it that know
/// whose it is.
pub fn routes(
    platform: &crate::platform::Platform,
    workloads: &[Arc<dyn Workload>],
    layers: &Arc<Layers>,
) -> OpenApiRouter {
    let scopes: Vec<WorkloadScopes> = workloads.iter().map(|workload| workload.scopes()).collect();
    let read: Vec<Scope> = scopes.iter().map(|scopes| scopes.read).collect();
    let admin: Vec<Scope> = scopes.iter().map(|scopes| scopes.admin).collect();
    let own = workloads.iter();
    let own = own.map(|workload| (workload.name(), workload.routes()));
    let shared =
        crate::audit::routes(platform, &admin).merge(crate::usage::routes(platform, &read));
    own.chain([(layers::PLATFORM, shared)])
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
    let (routes, document) = routes.split_for_parts();
    let routes = layers::around_clients(layers, workload, routes);
    OpenApiRouter::with_openapi(document).merge(routes.into())
}

//! The parts of the server put together, and the routers.

use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use docket_instrumentation::restart_after_panics;
use docket_platform::Platform;
use docket_platform::connections::Terms;
use docket_platform::health::{self, Health};
use docket_platform::maintenance::Maintenance;
use docket_platform::middleware::layers::{self, Layers};
use docket_platform::tenant::Tenant;
use docket_platform::workload::{self, Workload};
use docket_platform::{issuer, openapi, tls};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::{Settings, docs, reload, signing_keys, workloads};

/// How the OpenAPI document introduces itself.
const DESCRIPTION: &str = "The API of one tenant. Every answer has an `X-Request-ID`: the \
                           caller's own, or a new one. Every error is an RFC 9457 problem.";

/// What the data store calls itself.
const DATA_STORE: &str = "data-store";

/// Connections of probes and of a Prometheus or two, and the time that a silent one has.
const OPERATIONS: (usize, Duration) = (64, Duration::from_secs(5));

/// A server of one tenant. One for the process.
#[derive(Debug)]
pub struct App {
    platform: Platform,
    workloads: Vec<Arc<dyn Workload>>,
    layers: Arc<Layers>,
    health: Arc<Health>,
    maintenance: Maintenance,
    registry: docket_instrumentation::Registry,
    terms: ListenerTerms,
    draining: CancellationToken,
}

/// What each listener grants its callers.
#[derive(Clone, Debug)]
pub(crate) struct ListenerTerms {
    pub(crate) api: Terms,
    pub(crate) data_store: Terms,
    pub(crate) operations: Terms,
}

impl App {
    /// Opens what the workloads of `tenant` need, and begins to fetch the keys of an issuer of tokens, for which it
    /// needs a Tokio runtime; the database is reached on first use. `registry` is what
    /// `GET /metrics` shows.
    ///
    /// # Errors
    /// When the storage, the certificate or the summarizer of the tenant makes no sense.
    pub fn new(
        settings: &Settings,
        tenant: Tenant,
        registry: docket_instrumentation::Registry,
    ) -> anyhow::Result<Arc<Self>> {
        Self::with_workloads(settings, tenant, registry, |platform| {
            workloads::all(platform, settings)
        })
    }

    /// The same, with the workloads that `make` puts onto the platform.
    ///
    /// # Errors
    /// When the certificate of the tenant makes no sense, and those of `make`.
    pub fn with_workloads(
        settings: &Settings,
        tenant: Tenant,
        registry: docket_instrumentation::Registry,
        make: impl FnOnce(&Platform) -> anyhow::Result<Vec<Arc<dyn Workload>>>,
    ) -> anyhow::Result<Arc<Self>> {
        let connections = settings.connections(&tenant);
        let platform = settings.platform(&tenant);
        let platform = Platform::new(Arc::new(tenant), platform)?;
        let workloads = make(&platform)?;
        let tls = platform.tenant.tls.as_ref().map(tls::config).transpose()?;
        let of_callers = |most| Terms {
            idle: settings.idle_timeout,
            most,
            tls: tls.clone(),
        };
        let draining = platform.access.draining.clone();
        let problems = workload::problems(&platform, &workloads);
        let health = Health::new(platform.clone(), workloads.clone(), draining.clone());
        reload::look(&platform.access, &settings.config);
        signing_keys::look(&platform.access, &settings.config);
        Ok(Arc::new(Self {
            layers: Arc::new(Layers::new(problems, draining.clone())),
            health: Arc::new(health),
            maintenance: Maintenance::new(&platform, &workloads, settings.maintenance_interval),
            registry,
            terms: ListenerTerms {
                api: of_callers(connections.api),
                data_store: of_callers(connections.data_store),
                operations: Terms {
                    most: OPERATIONS.0,
                    idle: OPERATIONS.1,
                    tls: None,
                },
            },
            draining,
            workloads,
            platform,
        }))
    }

    /// What the workloads stand on.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// What the server does for each client from time to time.
    pub fn maintenance(&self) -> &Maintenance {
        &self.maintenance
    }

    /// What each listener grants its callers.
    pub(crate) fn terms(&self) -> &ListenerTerms {
        &self.terms
    }

    /// Visits the clients for maintenance until the server drains.
    pub async fn maintain(&self) {
        self.maintenance.run(&self.draining).await;
    }

    /// Does what the workloads do by themselves until `stop`; what panics of one begins anew.
    pub async fn work(&self, stop: CancellationToken) {
        let work = self.workloads.iter().map(|workload| {
            restart_after_panics(workload.name(), || workload.background(stop.clone()))
        });
        join_all(work).await;
    }

    /// Makes `/readyz` say no, so that no new traffic comes, and ends what the server does by itself.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// `clients` are routes for clients, each behind a gate and with its layers around it; `operations` are
    /// for probes and people.
    fn assemble(&self, clients: Router, operations: Router) -> Router {
        layers::around_nothing(&self.layers)
            .merge(clients)
            .merge(layers::around_operations(&self.layers, operations))
    }
}

/// The document API: the routes of every workload, health and metrics, and what describes them all.
pub fn public_router(app: Arc<App>) -> Router {
    let routes = workload::routes(&app.platform, &app.workloads, &app.layers);
    let (clients, of_clients) = routes.split_for_parts();
    let of_issuer = issuer::routes(&app.platform, openapi::scopes(&of_clients));
    let (operations, mut of_operations) = health::routes(app.health.clone(), app.registry.clone())
        .merge(openapi::routes())
        .merge(docs::routes())
        .merge(of_issuer.published)
        .split_for_parts();
    let (token, of_token) = of_issuer.token.split_for_parts();
    of_operations.merge(of_token);
    let problems = workload::problems(&app.platform, &app.workloads);
    let document = openapi::document(
        DESCRIPTION,
        &app.workloads,
        &problems,
        of_clients,
        of_operations,
    );
    let operations = operations.layer(Extension(openapi::Document(Arc::new(document))));
    // Whoever asks for a token is a client, and is traced and counted as such.
    let token = layers::around_clients(&app.layers, layers::PLATFORM, token);
    app.assemble(clients.merge(token), operations)
}

/// The data store: what the workloads serve to callers inside the namespace, and its own health.
pub fn data_store_router(app: Arc<App>) -> Router {
    let routes = workload::internal_routes(&app.workloads, &app.layers);
    let operations = health::internal_routes(app.health.clone(), DATA_STORE);
    app.assemble(routes, operations)
}

/// Probes and metrics, beside all that callers may fill.
pub fn operations_router(app: Arc<App>) -> Router {
    let routes = health::routes(app.health.clone(), app.registry.clone());
    app.assemble(Router::new(), routes.into())
}

//! What the handlers share, and the two routers.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use docket_contract::TenantLimits;
use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use crate::content_store::{ContentStore, UploadMemory};
use crate::database::Database;
use crate::documents::{AcceptedTypes, Findings, Recordings};
use crate::error::Error;
use crate::health::Health;
use crate::middleware::rate_limit::RateLimits;
use crate::middleware::{HttpMetrics, around};
use crate::text::TextService;
use crate::tokens::{Issuer, Pace};
use crate::{
    Settings, Tenant, data_store, docs, follow, health, maintenance, openapi, tls, workloads,
};

/// Limits of a single request, and of the wait for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_upload_bytes: u64,
    pub(crate) request_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) maintenance_interval: Duration,
    pub(crate) orphan_grace: Duration,
    pub(crate) max_connections: usize,
}

/// All that a handler may need. One for the process.
#[derive(Debug)]
pub struct App {
    pub(crate) tenant: Tenant,
    pub(crate) database: Database,
    pub(crate) content: ContentStore,
    pub(crate) findings: Findings,
    pub(crate) recordings: Recordings,
    pub(crate) health: Health,
    pub(crate) text: TextService,
    pub(crate) limits: Limits,
    pub(crate) accepted_types: AcceptedTypes,
    pub(crate) rate_limits: RateLimits,
    /// Whose tokens are accepted; none where keys are, or nothing is asked for.
    pub(crate) issuer: Option<Issuer>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) http_metrics: HttpMetrics,
    pub(crate) registry: docket_instrumentation::Registry,
    pub(crate) maintenance: maintenance::Metrics,
    draining: CancellationToken,
}

pub(crate) type SharedApp = axum::extract::State<Arc<App>>;

impl App {
    /// Opens the object store, and begins to fetch the keys of an issuer of tokens, for which it
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
        let timeout = settings.request_timeout;
        let uploads = UploadMemory::of(settings.memory, timeout);
        let app = Self {
            content: ContentStore::open(&tenant.storage, timeout, uploads)?,
            database: Database::new(settings, &tenant),
            findings: Findings::new(&tenant),
            recordings: Recordings::new(&tenant),
            health: Health::new(),
            text: TextService::new(&tenant.summarizer, extractor(settings)?)?,
            limits: Limits {
                max_upload_bytes: tenant
                    .uploads
                    .max_bytes
                    .unwrap_or(settings.max_upload_bytes),
                request_timeout: settings.request_timeout,
                idle_timeout: settings.idle_timeout,
                maintenance_interval: settings.maintenance_interval,
                orphan_grace: settings.orphan_grace,
                max_connections: usize::try_from(settings.max_connections)?,
            },
            accepted_types: AcceptedTypes::new(&tenant.uploads.accepted_types),
            rate_limits: RateLimits::new(tenant.limits.rate_limit),
            issuer: issuer(settings, &tenant)?,
            tls: tenant.tls.as_ref().map(tls::config).transpose()?,
            http_metrics: HttpMetrics::new(),
            registry,
            maintenance: maintenance::Metrics::new(),
            draining: CancellationToken::new(),
            tenant,
        };
        crate::memory::observe();
        follow::look(&app, &settings.config);
        Ok(Arc::new(app))
    }

    /// Lets clients do what `limits` say, or what they could before where there are none, and takes
    /// this pod's part of what all `pods` may answer together; returns whether anything is new.
    pub(crate) fn limit_clients(&self, pods: NonZeroU32, limits: Option<&TenantLimits>) -> bool {
        let names = self.tenant.clients().map(|client| client.name.as_str());
        let rate = limits.map(|limits| limits.rate_limit);
        let mut changed = self.rate_limits.share(names, pods, rate);
        for client in self.tenant.clients() {
            if let Some(limits) = limits.and_then(|limits| limits.clients.get(&client.name)) {
                changed |= client.limit(*limits);
            }
        }
        changed
    }

    /// Makes `/readyz` say no, so that no new traffic comes, and ends what the server does by itself.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    pub(crate) fn draining(&self) -> &CancellationToken {
        &self.draining
    }
}

fn issuer(settings: &Settings, tenant: &Tenant) -> anyhow::Result<Option<Issuer>> {
    let pace = Pace {
        usual: settings.jwks_refresh,
        least: settings.jwks_cooldown,
        patience: settings.request_timeout / 2,
    };
    let jwt = tenant.jwt.clone();
    jwt.map(|jwt| Issuer::new(jwt, pace)).transpose()
}

/// The program that reads files of others: this one.
fn extractor(settings: &Settings) -> anyhow::Result<PathBuf> {
    match &settings.extractor {
        Some(program) => Ok(program.clone()),
        None => std::env::current_exe().context("the path of this program is not known"),
    }
}

/// The document API: the routes of every workload, health and metrics, and what describes them all.
pub fn public_router(app: Arc<App>) -> Router {
    let (workloads, of_workloads) = workloads::routes(&app).split_for_parts();
    let (operations, of_operations) = health::routes()
        .merge(openapi::routes())
        .merge(docs::routes())
        .split_for_parts();
    let document = openapi::document(of_workloads, of_operations, workloads::PROBLEMS);
    let operations = operations.layer(Extension(openapi::Document(Arc::new(document))));
    assemble(app, workloads, operations)
}

/// The data store: metadata for callers inside the namespace, and its own health.
pub fn data_store_router(app: Arc<App>) -> Router {
    let workloads = data_store::routes(&app);
    assemble(app, workloads, data_store::health_routes())
}

/// `workloads` are for clients, so a request is traced, and each route has a gate; `operations` are
/// for probes and people.
fn assemble(app: Arc<App>, workloads: Router<Arc<App>>, operations: Router<Arc<App>>) -> Router {
    let workloads = workloads
        .fallback(async || Error::NoRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(from_fn_with_state(app.clone(), around::client_request));
    let operations = operations
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(from_fn_with_state(app.clone(), around::operation));
    workloads.merge(operations).with_state(app)
}

//! From the start of the process to its orderly end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use docket_instrumentation::Service;
use docket_platform::connections;
use docket_platform::tenant::Tenant;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    App, Settings, VERSION, data_store_router, open_files, operations_router, public_router,
    reload, service_name, signing_keys,
};

/// Traces that are recorded of requests which come without one: enough to see every request of a quiet
/// service, and what a busy one does (ADR 0014).
const TRACES_PER_SECOND: u32 = 50;

/// Serves `tenant` until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// When telemetry, storage or a listener cannot be set up.
pub async fn run(settings: Settings, tenant: Tenant) -> anyhow::Result<()> {
    let telemetry = docket_instrumentation::init(Service {
        name: service_name(&tenant),
        version: VERSION,
        traces_per_second: Some(TRACES_PER_SECOND),
    })?;
    docket_instrumentation::log_panics();
    open_files::raise();
    let app = App::new(&settings, tenant, telemetry.registry().clone())?;
    let listeners = Listeners {
        api: bind("API", settings.listen).await?,
        data_store: bind("data store", settings.data_store_listen).await?,
        operations: bind("listener for probes", settings.operations_listen).await?,
    };
    let stop = CancellationToken::new();
    let drain = tokio::spawn(drain_on_signal(
        app.clone(),
        settings.drain_delay,
        stop.clone(),
    ));
    let maintaining = app.clone();
    let maintenance = tokio::spawn(async move { maintaining.maintain().await });
    let tenant = &app.platform().tenant;
    tracing::info!(
        tenant = tenant.name,
        namespace = tenant.namespace,
        clients = tenant.clients().len(),
        version = VERSION,
        listen = %listeners.api.local_addr()?,
        data_store_listen = %listeners.data_store.local_addr()?,
        operations_listen = %listeners.operations.local_addr()?,
        connections = app.terms().api.most,
        tls = app.terms().api.tls.is_some(),
        "serving"
    );
    let access = app.platform().access.clone();
    let limits = tokio::spawn(reload::reload(access.clone(), settings.config.clone()));
    let keys = tokio::spawn(signing_keys::reload(access, settings.config));
    let (working, stopping) = (app.clone(), stop.clone());
    let background = tokio::spawn(async move { working.work(stopping).await });
    serve(app, listeners, stop, settings.shutdown_grace).await;
    background.abort();
    limits.abort();
    keys.abort();
    drain.abort();
    maintenance.abort();
    tracing::info!("stopped");
    telemetry.shutdown().await;
    Ok(())
}

/// Where the server is reached.
#[derive(Debug)]
pub struct Listeners {
    /// The API, for everybody who is let in.
    pub api: TcpListener,
    /// The data store, for callers inside the tenant's namespace.
    pub data_store: TcpListener,
    /// Probes and metrics.
    pub operations: TcpListener,
}

/// Serves all routers until `stop`, then lets requests in flight finish within `grace`.
pub async fn serve(app: Arc<App>, listeners: Listeners, stop: CancellationToken, grace: Duration) {
    let terms = app.terms().clone();
    let served =
        |listener, router, terms| connections::serve(listener, router, stop.clone(), terms);
    let api = served(listeners.api, public_router(app.clone()), terms.api);
    let data_store = served(
        listeners.data_store,
        data_store_router(app.clone()),
        terms.data_store,
    );
    // Its last answers are of no use to anybody: it ends with the others.
    let operations = served(
        listeners.operations,
        operations_router(app),
        terms.operations,
    );
    let all = async { tokio::join!(api, data_store, operations) };
    let out_of_grace = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        _ = all => {}
        () = out_of_grace => tracing::warn!("requests were still in flight when the grace ended"),
    }
}

async fn bind(what: &str, address: std::net::SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("the {what} cannot listen on {address}"))
}

async fn drain_on_signal(app: Arc<App>, delay: Duration, stop: CancellationToken) {
    if let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        tracing::info!("draining");
        app.drain();
        tokio::time::sleep(delay).await;
        stop.cancel();
    }
}

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
    App, Settings, VERSION, data_store_router, public_router, reload, service_name, signing_keys,
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
    let app = App::new(&settings, tenant, telemetry.registry().clone())?;
    let public = bind("API", settings.listen).await?;
    let data_store = bind("data store", settings.data_store_listen).await?;
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
        listen = %public.local_addr()?,
        data_store_listen = %data_store.local_addr()?,
        tls = app.terms().tls.is_some(),
        "serving"
    );
    let access = app.platform().access.clone();
    let limits = tokio::spawn(reload::reload(access.clone(), settings.config.clone()));
    let keys = tokio::spawn(signing_keys::reload(access, settings.config));
    let (working, stopping) = (app.clone(), stop.clone());
    let background = tokio::spawn(async move { working.work(stopping).await });
    serve(app, public, data_store, stop, settings.shutdown_grace).await;
    background.abort();
    limits.abort();
    keys.abort();
    drain.abort();
    maintenance.abort();
    tracing::info!("stopped");
    telemetry.shutdown().await;
    Ok(())
}

/// Serves both routers until `stop`, then lets requests in flight finish within `grace`.
pub async fn serve(
    app: Arc<App>,
    public: TcpListener,
    data_store: TcpListener,
    stop: CancellationToken,
    grace: Duration,
) {
    let terms = app.terms().clone();
    let routers = (public_router(app.clone()), data_store_router(app));
    let public = connections::serve(public, routers.0, stop.clone(), terms.clone());
    let data_store = connections::serve(data_store, routers.1, stop.clone(), terms);
    let both = async { tokio::join!(public, data_store) };
    let out_of_grace = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        _ = both => {}
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

//! From the start of the process to its orderly end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use docket_instrumentation::{Service, catch_panic, restart_after_panics};
use docket_platform::connections;
use docket_platform::tenant::Tenant;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

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
/// When telemetry, storage or a listener cannot be set up, and when what serves, or hears of these signals, panics:
/// a pod that does nothing must not look alive.
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
    let signals = Signals::new().context("signals cannot be heard of")?;
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
    let background = beside(&app, &settings.config, &stop);
    let drain = drain_on_signal(signals, app.clone(), settings.drain_delay, stop.clone());
    let serving = serve(app, listeners, stop, settings.shutdown_grace);
    let served = catch_panic(async { tokio::join!(serving, drain) }).await;
    drop(background);
    match &served {
        Ok(_) => tracing::info!("stopped"),
        Err(panicked) => tracing::error!(error = %panicked, "the server ends"),
    }
    telemetry.shutdown().await;
    served.map(|_| ()).context("the server")
}

/// What goes on beside the requests until it is dropped. Each begins anew when it panics: requests are served without
/// it, and one client's row or one file may be the reason.
fn beside(app: &Arc<App>, config: &Path, stop: &CancellationToken) -> [AbortOnDropHandle<()>; 4] {
    let access = app.platform().access.clone();
    let (limits, keys) = (access.clone(), access);
    let (of_limits, of_keys) = (config.to_owned(), config.to_owned());
    let (maintaining, working, stop) = (app.clone(), app.clone(), stop.clone());
    [
        restarted("maintenance", move || {
            let app = maintaining.clone();
            async move { app.maintain().await }
        }),
        restarted("limits", move || {
            reload::reload(limits.clone(), of_limits.clone())
        }),
        restarted("signing-keys", move || {
            signing_keys::reload(keys.clone(), of_keys.clone())
        }),
        // Each workload's begins anew by itself.
        AbortOnDropHandle::new(tokio::spawn(async move { working.work(stop).await })),
    ]
}

fn restarted<F: Future<Output = ()> + Send + 'static>(
    task: &'static str,
    work: impl Fn() -> F + Send + Sync + 'static,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(restart_after_panics(task, work)))
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

/// What Kubernetes and people at a terminal send to a process that should end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

async fn drain_on_signal(
    mut signals: Signals,
    app: Arc<App>,
    delay: Duration,
    stop: CancellationToken,
) {
    tokio::select! {
        _ = signals.terminate.recv() => {}
        _ = signals.interrupt.recv() => {}
    }
    tracing::info!("draining");
    app.drain();
    tokio::time::sleep(delay).await;
    stop.cancel();
}

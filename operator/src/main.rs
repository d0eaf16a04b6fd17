//! The operator's process: settings, telemetry, the Lease, the controller, and an orderly end.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Parser;
use docket_crds::DocumentTenant;
use docket_instrumentation::{Service, Telemetry};
use docket_operator::controller::Watches;
use docket_operator::monitoring::endpoints::serve;
use docket_operator::monitoring::metrics::observe_queue;
use docket_operator::scope::Scope;
use docket_operator::settings::Settings;
use docket_operator::startup::{self, Background, Clients, early_end, end_of_server};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long reconciles that were begun may take to end. What does not is cut off: the next operator
/// finds it as after a crash, and should not have to wait.
const GRACE: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("docket-operator: a TLS provider is already installed");
        return ExitCode::FAILURE;
    }
    let service = Service {
        name: docket_crds::names::OPERATOR,
        version: env!("CARGO_PKG_VERSION"),
        traces_per_second: None,
    };
    let telemetry = match docket_instrumentation::init(service) {
        Ok(telemetry) => Arc::new(telemetry),
        Err(error) => {
            eprintln!("docket-operator: {error:#}");
            return ExitCode::from(2);
        }
    };
    docket_instrumentation::log_panics();
    let result = run(settings, telemetry.clone()).await;
    if let Err(error) = &result {
        tracing::error!(error = format!("{error:#}"), "the operator ends");
    }
    if let Some(telemetry) = Arc::into_inner(telemetry) {
        telemetry.shutdown().await;
    }
    if result.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn run(settings: Settings, telemetry: Arc<Telemetry>) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let prometheus = startup::prometheus(&settings)?;
    let (tell_ready, ready) = watch::channel(false);
    let (show, shown) = watch::channel(None);
    let server = serve(settings.listen, telemetry, ready, shown, stop.clone());
    let mut server = tokio::spawn(server);

    let clients = Clients::new(&settings).await?;
    clients.check_crd::<DocumentTenant>(&settings).await?;
    let leadership = clients.leadership(&settings);
    let mut signals = Signals::new()?;
    let stand_by = || {
        tell_ready.send_replace(true);
    };
    tokio::select! {
        () = leadership.acquire(stand_by) => tracing::info!(identity = settings.identity, "holds the Lease"),
        () = signals.asks_to_end() => return Ok(()),
        error = end_of_server(&mut server) => return Err(error),
    }
    tell_ready.send_replace(false);

    let claims = clients.claims(&settings);
    tokio::select! {
        () = claims.acquire() => {}
        () = leadership.keep() => anyhow::bail!("the Lease is lost: another operator may write now"),
        () = signals.asks_to_end() => {
            leadership.release().await;
            return Ok(());
        }
    }
    let network = clients.network(&settings).await;
    let memory = startup::memories();
    let scope = Scope::new(clients.fenced.clone(), settings.namespaces());
    let watches = Watches::new(&scope, settings.concurrency, memory.clone());
    let context = startup::shared_context(&settings, &clients, &watches, memory, network);
    observe_queue(watches.tenants.clone());
    let background = Background::start(&settings, prometheus, &watches.tenants, &context, claims);
    let (mut filled, pods) = (context.filled.clone(), context.caches.pods.clone());
    let mut controller = tokio::spawn(watches.run(context, stop.clone().cancelled_owned()));
    let fill = async move {
        if filled.wait_for(|filled| *filled).await.is_ok() {
            show.send_replace(Some(pods));
            tell_ready.send_replace(true);
            std::future::pending::<()>().await;
        }
    };

    let mut outcome = tokio::select! {
        // Without the Lease nothing may be finished: the process ends as it stands.
        () = leadership.keep() => bail!("the Lease is lost: another operator may write now"),
        () = signals.asks_to_end() => Ok(()),
        error = early_end(&mut controller, &mut server) => Err(error),
        () = fill => Err(anyhow!("the caches can never be filled")),
    };
    drop(background);
    stop.cancel();
    if !controller.is_finished() {
        tokio::select! {
            ended = &mut controller => outcome = outcome.and(ended.context("the controller panicked")),
            () = leadership.keep() => {}
            () = tokio::time::sleep(GRACE) => {
                tracing::warn!("a reconcile did not end in time; the next operator repeats it")
            }
        }
    }
    leadership.release().await;
    outcome
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

    async fn asks_to_end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

//! The operator's process: settings, telemetry, the Lease, the controller, and an orderly end.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use docket_crds::DocumentTenant;
use docket_instrumentation::{Service, Telemetry};
use docket_objectives::Links;
use docket_operator::build::Images;
use docket_operator::context::Context;
use docket_operator::controller::Watches;
use docket_operator::database;
use docket_operator::database::Databases;
use docket_operator::leadership::fence::Fence;
use docket_operator::leadership::fenced_client::fenced_client;
use docket_operator::leadership::lease::{Leadership, TIMING};
use docket_operator::memory::{Intervals, TenantMemories};
use docket_operator::monitoring::endpoints::serve;
use docket_operator::monitoring::metrics::{Metrics, observe_leadership, observe_queue};
use docket_operator::monitoring::objectives::{self, Prometheus, Source};
use docket_operator::monitoring::rules;
use docket_operator::monitoring::telemetry_loss::{self, TelemetryLoss};
use docket_operator::recheck::Recheck;
use docket_operator::scope::Scope;
use docket_operator::settings::Settings;
use docket_operator::status::events::Events;
use kube::api::ListParams;
use kube::{Client, Config};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How long reconciles that were begun may take to end. What does not is cut off: the next operator
/// finds it as after a crash, and should not have to wait.
const GRACE: Duration = Duration::from_secs(1);

/// Between two reconciles of one tenant: pods take longer to come about, and a second is a long time.
const PAUSE: Duration = Duration::from_millis(250);

/// How long the data of one tenant is let go while others wait for a worker.
const TURN: Duration = Duration::from_secs(10);

/// How far pods are is said this much later, unless there is more to say by then: among many new tenants,
/// pods take a second or two, and nobody has time to read it.
const HOLD: Duration = Duration::from_secs(3);

/// How long a tenant whose pods come about is not looked for in its database again.
const FRESH: Duration = Duration::from_secs(5);

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
    let prometheus = prometheus(&settings)?;
    let (tell_ready, ready) = watch::channel(false);
    let (show, shown) = watch::channel(None);
    let server = serve(settings.listen, telemetry, ready, shown, stop.clone());
    let server = tokio::spawn(server);

    let mut config = Config::infer()
        .await
        .context("no cluster: set KUBECONFIG, or run inside a cluster with a ServiceAccount")?;
    let fence = Fence::shut();
    let api_deadline = Duration::from_secs(settings.api_deadline);
    let client = fenced_client(&config, fence.clone(), api_deadline)?;
    // A renewal that is late is worth nothing: trying again is up to the Lease.
    config.default_retry = false;
    // It watches nothing.
    config.read_timeout = Some(api_deadline);
    observe_leadership(fence.clone());
    let unfenced = Client::try_from(config)?;
    check_crd(&Scope::new(unfenced.clone(), &settings.namespace)).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let leadership = Leadership::new(
        unfenced,
        &settings.lease_namespace,
        settings.identity.clone(),
        fence.clone(),
        TIMING,
    );
    let stand_by = || {
        tell_ready.send_replace(true);
    };
    tokio::select! {
        () = leadership.acquire(stand_by) => tracing::info!(identity = settings.identity, "holds the Lease"),
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    }
    tell_ready.send_replace(false);

    let memory = Arc::new(TenantMemories::new(Intervals {
        cooldown: PAUSE,
        debounce: HOLD,
        inspection: FRESH,
    }));
    let watches = Watches::new(
        &Scope::new(client.clone(), &settings.namespace),
        settings.concurrency,
        memory.clone(),
    );
    let mut filled = watches.caches.filled(watches.optional.clone());
    let (pods, tenants) = (watches.caches.pods.clone(), watches.tenants.clone());
    observe_queue(tenants.clone());
    let metrics = Metrics::default();
    let losses = match prometheus {
        Some(_) => TelemetryLoss::unknown(),
        None => TelemetryLoss::default(),
    };
    let recheck = Recheck::default();
    let context = Arc::new(Context {
        client: client.clone(),
        fence: fence.clone(),
        caches: watches.caches.clone(),
        filled: filled.clone(),
        optional: watches.optional.clone(),
        referenced_secrets: watches.referenced_secrets.clone(),
        databases: Databases::new(
            metrics.clone(),
            fence,
            Duration::from_secs(settings.sql_deadline),
        ),
        images: Images {
            api: settings.api_image,
            collector: settings.collector_image,
            telemetry_endpoint: settings.telemetry_endpoint,
            links: Links {
                runbooks: settings.runbooks_url,
                dashboards: settings.dashboards_url,
            },
            monitoring_labels: settings.monitoring_label.into_iter().collect(),
        },
        memory,
        losses: losses.clone(),
        recheck: recheck.clone(),
        turn: TURN,
        metrics,
        events: Events::new(client, settings.identity),
    });
    let namespace = Some(settings.namespace).filter(|namespace| !namespace.is_empty());
    let interval = Duration::from_secs(settings.objectives_interval);
    let watch = telemetry_loss::watch(
        tenants.clone(),
        prometheus.clone(),
        namespace.clone(),
        interval,
        filled.clone(),
        losses,
        recheck,
    );
    let losses = AbortOnDropHandle::new(tokio::spawn(watch));
    let watch = objectives::watch(
        tenants.clone(),
        prometheus,
        namespace.clone(),
        interval,
        context.clone(),
    );
    let objectives = AbortOnDropHandle::new(tokio::spawn(watch));
    let interval = Duration::from_secs(settings.databases_interval);
    let watch = database::watch::watch(tenants.clone(), interval, context.clone());
    let databases = AbortOnDropHandle::new(tokio::spawn(watch));
    let rules = settings.rules_config_map.map(|(beside, name)| {
        let place = rules::ConfigMaps {
            namespace: beside,
            name,
            most: settings.rules_shards.into(),
            tenants_of: namespace.clone(),
        };
        let interval = Duration::from_secs(settings.rules_interval);
        let keep = rules::keep(tenants, place, interval, context.clone());
        AbortOnDropHandle::new(tokio::spawn(keep))
    });
    let mut controller = tokio::spawn(watches.run(context, stop.clone().cancelled_owned()));
    tokio::spawn(async move {
        if filled.wait_for(|filled| *filled).await.is_ok() {
            show.send_replace(Some(pods));
            tell_ready.send_replace(true);
        }
    });

    let outcome = tokio::select! {
        () = leadership.keep() => Err(anyhow::anyhow!("the Lease is lost: another operator may write now")),
        result = server => result.context("the server of /metrics panicked")?,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    drop((databases, objectives, losses, rules));
    // Without the Lease nothing may be finished: the process ends as it stands.
    if outcome.is_ok() {
        stop.cancel();
        tokio::select! {
            ended = &mut controller => ended.context("the controller panicked")?,
            () = leadership.keep() => {}
            () = tokio::time::sleep(GRACE) => {
                tracing::warn!("a reconcile did not end in time; the next operator repeats it")
            }
        }
        leadership.release().await;
    }
    outcome
}

fn prometheus(settings: &Settings) -> anyhow::Result<Option<Prometheus>> {
    let Some(url) = &settings.prometheus_url else {
        return Ok(None);
    };
    let source = Source {
        url,
        ca_file: settings.prometheus_ca_file.as_deref(),
        headers: settings.prometheus_headers.as_deref(),
    };
    let prometheus = Prometheus::new(&source).context("--prometheus-url cannot be used")?;
    Ok(Some(prometheus))
}

async fn check_crd(scope: &Scope) -> anyhow::Result<()> {
    scope
        .api::<DocumentTenant>()
        .list(&ListParams::default().limit(1))
        .await
        .map(|_| ())
        .context("DocumentTenants cannot be listed: install the CRD and the operator's role with the Helm chart")
}

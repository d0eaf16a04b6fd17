//! What goes on beside the reconciles: each asks something now and then, and tells of what is news.

use std::sync::Arc;

use anyhow::Context as _;
use docket_crds::DocumentTenant;
use docket_instrumentation::restart_after_panics;
use kube::runtime::reflector::Store;
use tokio_util::task::AbortOnDropHandle;

use crate::context::Context;
use crate::database;
use crate::leadership::claims::Claims;
use crate::monitoring::objectives::{self, Prometheus, Source};
use crate::monitoring::{rules, telemetry_loss};
use crate::settings::Settings;

/// Tasks that end with its drop.
pub struct Background {
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl Background {
    /// What the settings ask for, of `tenants`.
    pub fn start(
        settings: &Settings,
        prometheus: Option<Prometheus>,
        tenants: &Store<DocumentTenant>,
        ctx: &Arc<Context>,
        claims: Claims,
    ) -> Self {
        let namespaces = settings.namespaces();
        let interval = settings.objectives_interval;
        let (known, asked) = (tenants.clone(), prometheus.clone());
        let (of, with) = (namespaces.clone(), ctx.clone());
        let losses = restarted("telemetry-loss", move || {
            telemetry_loss::watch(
                known.clone(),
                asked.clone(),
                of.clone(),
                interval,
                with.filled.clone(),
                with.telemetry_loss.clone(),
                with.recheck.clone(),
            )
        });
        let (known, of, with) = (tenants.clone(), namespaces.clone(), ctx.clone());
        let objectives = restarted("objectives", move || {
            let (known, asked, of) = (known.clone(), prometheus.clone(), of.clone());
            objectives::watch(known, asked, of, interval, with.clone())
        });
        let (known, with) = (tenants.clone(), ctx.clone());
        let interval = settings.databases_interval;
        let databases = restarted("databases", move || {
            database::watch::watch(known.clone(), interval, with.clone())
        });
        let claims = restarted("claims", move || claims.clone().keep());
        let mut tasks = vec![losses, objectives, databases, claims];
        tasks.extend(settings.rules_config_map.clone().map(|(beside, name)| {
            let config_maps = rules::ConfigMaps {
                namespace: beside,
                name,
                most: settings.rules_shards.into(),
                tenants_of: namespaces,
            };
            let interval = settings.rules_interval;
            let (known, with) = (tenants.clone(), ctx.clone());
            restarted("rules", move || {
                rules::keep(known.clone(), config_maps.clone(), interval, with.clone())
            })
        }));
        Self { _tasks: tasks }
    }
}

/// A task that begins anew when it panics: all tenants are reconciled without it, and one of them may be the reason.
fn restarted<F: Future<Output = ()> + Send + 'static>(
    task: &'static str,
    work: impl Fn() -> F + Send + Sync + 'static,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(restart_after_panics(task, work)))
}

/// The Prometheus that the settings name, if they do.
///
/// # Errors
/// A file that they name cannot be read, or is not what it should be.
pub fn prometheus(settings: &Settings) -> anyhow::Result<Option<Prometheus>> {
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

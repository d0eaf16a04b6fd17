//! What goes on beside the reconciles: each asks something now and then, and tells of what is news.

use std::sync::Arc;

use anyhow::Context as _;
use docket_crds::DocumentTenant;
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
        let mut tasks = vec![
            AbortOnDropHandle::new(tokio::spawn(claims.keep())),
            AbortOnDropHandle::new(tokio::spawn(telemetry_loss::watch(
                tenants.clone(),
                prometheus.clone(),
                namespaces.clone(),
                interval,
                ctx.filled.clone(),
                ctx.telemetry_loss.clone(),
                ctx.recheck.clone(),
            ))),
            AbortOnDropHandle::new(tokio::spawn(objectives::watch(
                tenants.clone(),
                prometheus,
                namespaces.clone(),
                interval,
                ctx.clone(),
            ))),
            AbortOnDropHandle::new(tokio::spawn(database::watch::watch(
                tenants.clone(),
                settings.databases_interval,
                ctx.clone(),
            ))),
        ];
        tasks.extend(settings.rules_config_map.clone().map(|(beside, name)| {
            let config_maps = rules::ConfigMaps {
                namespace: beside,
                name,
                most: settings.rules_shards.into(),
                tenants_of: namespaces,
            };
            let interval = settings.rules_interval;
            let keep = rules::keep(tenants.clone(), config_maps, interval, ctx.clone());
            AbortOnDropHandle::new(tokio::spawn(keep))
        }));
        Self { _tasks: tasks }
    }
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

//! What every reconcile shares, as the settings say.

use std::sync::Arc;
use std::time::Duration;

use docket_objectives::Links;

use super::Clients;
use crate::allowed::Allowed;
use crate::build::Images;
use crate::context::Context;
use crate::controller::Watches;
use crate::database::Databases;
use crate::memory::{Intervals, TenantMemories};
use crate::monitoring::metrics::Metrics;
use crate::monitoring::telemetry_loss::TelemetryLoss;
use crate::network::ClusterNetwork;
use crate::recheck::Recheck;
use crate::settings::Settings;
use crate::status::events::Events;

/// Between two reconciles of one tenant: pods take longer to come about, and a second is a long time.
const COOLDOWN: Duration = Duration::from_millis(250);

/// How long the data of one tenant is let go while others wait for a worker.
const TURN: Duration = Duration::from_secs(10);

/// How far pods are is said this much later, unless there is more to say by then: among many new tenants,
/// pods take a second or two, and nobody has time to read it.
const DEBOUNCE: Duration = Duration::from_secs(3);

/// How long a tenant whose pods come about is not looked for in its database again.
const INSPECTION: Duration = Duration::from_secs(5);

/// What is kept of each tenant, and for how long it is good.
#[must_use]
pub fn memories() -> Arc<TenantMemories> {
    Arc::new(TenantMemories::new(Intervals {
        cooldown: COOLDOWN,
        debounce: DEBOUNCE,
        inspection: INSPECTION,
    }))
}

/// What every reconcile of `watches` shares.
#[must_use]
pub fn shared_context(
    settings: &Settings,
    clients: &Clients,
    watches: &Watches,
    memory: Arc<TenantMemories>,
    network: ClusterNetwork,
) -> Arc<Context> {
    let metrics = Metrics::default();
    let deadline = settings.sql_deadline;
    Arc::new(Context {
        client: clients.fenced.clone(),
        fence: clients.fence.clone(),
        caches: watches.caches.clone(),
        filled: watches.caches.filled(watches.optional.clone()),
        optional: watches.optional.clone(),
        referenced_secrets: watches.referenced_secrets.clone(),
        databases: Databases::new(metrics.clone(), clients.fence.clone(), deadline)
            .shared_by(settings.concurrency),
        images: images(settings, network),
        memory,
        telemetry_loss: match settings.prometheus_url {
            Some(_) => TelemetryLoss::unknown(),
            None => TelemetryLoss::default(),
        },
        recheck: Recheck::default(),
        turn: TURN,
        metrics,
        events: Events::new(clients.fenced.clone(), settings.identity.clone()),
    })
}

fn images(settings: &Settings, network: ClusterNetwork) -> Images {
    Images {
        api: settings.api_image.clone(),
        collector: settings.collector_image.clone(),
        telemetry_endpoint: settings.telemetry_endpoint.clone(),
        links: Links {
            runbooks: settings.runbooks_url.clone(),
            dashboards: settings.dashboards_url.clone(),
        },
        monitoring_labels: settings.monitoring_label.iter().cloned().collect(),
        network,
        allowed: Allowed {
            images: settings.allowed_image.clone(),
            ingress_annotations: settings.allowed_ingress_annotation.clone(),
            ingress_classes: settings.allowed_ingress_class.clone(),
        },
    }
}

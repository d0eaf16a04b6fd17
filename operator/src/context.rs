//! What every reconcile shares.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use crate::build::Images;
use crate::cache::caches::{Caches, Filled};
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::referenced_secrets::ReferencedSecrets;
use crate::database::Databases;
use crate::leadership::fence::Fence;
use crate::memory::TenantMemories;
use crate::monitoring::metrics::Metrics;
use crate::monitoring::telemetry_loss::TelemetryLoss;
use crate::recheck::Recheck;
use crate::status::events::Events;

/// What every reconcile shares.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// Until when anything may be written.
    pub fence: Fence,
    /// What is known of the cluster.
    pub caches: Caches,
    /// Whether that is all there is to know.
    pub filled: Filled,
    /// Which of the kinds that a cluster may lack it has.
    pub optional: OptionalKinds,
    /// The Secrets that tenants name.
    pub referenced_secrets: ReferencedSecrets,
    /// The tenants' databases.
    pub databases: Databases,
    /// Images and the like that tenants get by default.
    pub images: Images,
    /// What is kept of each tenant while there is one.
    pub memory: Arc<TenantMemories>,
    /// What is known of telemetry that is lost.
    pub telemetry_loss: TelemetryLoss,
    /// Tenants to look at again.
    pub recheck: Recheck,
    /// How long one of them may take to let data go before others have their turn.
    pub turn: Duration,
    /// What is counted.
    pub metrics: Metrics,
    /// Events.
    pub events: Events,
}

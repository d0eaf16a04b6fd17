//! The kinds that a cluster may lack.

use crate::cache::presence::Presence;

/// Whether the cluster has each of them.
#[derive(Clone, Debug)]
pub struct OptionalKinds {
    /// HTTPRoutes of the Gateway API.
    pub http_routes: Presence,
    /// PrometheusRules of the Prometheus operator.
    pub prometheus_rules: Presence,
    /// Its PodMonitors.
    pub pod_monitors: Presence,
}

impl OptionalKinds {
    /// Whether the cluster has them is yet to be found out.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            http_routes: Presence::unknown(),
            prometheus_rules: Presence::unknown(),
            pod_monitors: Presence::unknown(),
        }
    }

    /// A cluster that has none, for good.
    #[must_use]
    pub fn none() -> Self {
        Self {
            http_routes: Presence::settled(false),
            prometheus_rules: Presence::settled(false),
            pod_monitors: Presence::settled(false),
        }
    }
}

//! What the Prometheus operator learns of a tenant, where there is one.

use std::collections::BTreeMap;

use docket_objectives::Links;

/// What the Prometheus operator learns of a tenant.
#[derive(Clone, Debug, Default)]
pub struct Monitoring {
    /// Where alerts lead to.
    pub links: Links,
    /// Labels by which a Prometheus chooses rules and monitors.
    pub labels: BTreeMap<String, String>,
    /// The cluster has PrometheusRules.
    pub prometheus_rules: bool,
    /// The cluster has PodMonitors.
    pub pod_monitors: bool,
}

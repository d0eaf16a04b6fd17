//! A number of pods that follows the load.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Between how many pods a HorizontalPodAutoscaler chooses, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.minReplicas <= self.maxReplicas").message("autoscaling.minReplicas, 2 by default, must not exceed autoscaling.maxReplicas"))]
pub struct Autoscaling {
    /// Fewest pods.
    #[serde(default = "default_min_replicas")]
    #[schemars(range(min = 1, max = 50))]
    pub min_replicas: i32,
    /// Most pods.
    #[schemars(range(min = 1, max = 50))]
    pub max_replicas: i32,
    /// CPU time that the API containers should use on average, in percent of `resources.requests.cpu`.
    #[serde(default = "default_target", rename = "targetCPUUtilizationPercentage")]
    #[schemars(range(min = 1, max = 10_000))]
    pub target_cpu_utilization_percentage: i32,
}

fn default_min_replicas() -> i32 {
    2
}

fn default_target() -> i32 {
    80
}

//! How evenly the pods are spread.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text;

/// How evenly the tenant's pods are spread over the values of a node's label. Only pods of the same
/// template are counted, so that those which a rollout replaces do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.minDomains) || self.whenUnsatisfiable == 'DoNotSchedule'").message("minDomains needs whenUnsatisfiable: DoNotSchedule"))]
pub struct TopologySpreadConstraint {
    /// Greatest difference between two values in numbers of pods.
    #[schemars(range(min = 1, max = 50))]
    pub max_skew: i32,
    /// Label of nodes, such as `topology.kubernetes.io/zone`.
    #[schemars(length(min = 1, max = 316))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::LABEL_KEY)).message("a topologyKey consists of letters, digits, '-', '_' and '.', perhaps with a domain and '/' before them"))]
    pub topology_key: String,
    /// What becomes of a pod that fits nowhere.
    pub when_unsatisfiable: WhenUnsatisfiable,
    /// Fewest values that there should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub min_domains: Option<i32>,
    /// Whether nodes that `nodeSelector` and `affinity` rule out count; they do not by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_affinity_policy: Option<NodeInclusionPolicy>,
    /// Whether nodes with taints count that pods do not put up with; they do by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_taints_policy: Option<NodeInclusionPolicy>,
}

/// What becomes of a pod that fits nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WhenUnsatisfiable {
    /// It waits.
    DoNotSchedule,
    /// It goes where it fits best.
    ScheduleAnyway,
}

/// Whether nodes count that pods cannot run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NodeInclusionPolicy {
    /// They do not.
    Honor,
    /// They do.
    Ignore,
}

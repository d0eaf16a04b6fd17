//! Which nodes the pods prefer or need, and beside which pods. The fields are those of a pod's
//! `affinity`, without the ones that hardly anybody needs: `matchFields`, `namespaces`,
//! `namespaceSelector`, `matchLabelKeys`, `mismatchLabelKeys` and, of pods, `matchExpressions`.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text;

/// Which nodes the pods prefer or need, and beside which pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Affinity {
    /// Nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_affinity: Option<NodeAffinity>,
    /// Pods of the namespace to run beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_affinity: Option<PodAffinity>,
    /// Pods of the namespace to stay away from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_anti_affinity: Option<PodAffinity>,
}

/// Nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeAffinity {
    /// What a node must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_during_scheduling_ignored_during_execution: Option<NodeSelector>,
    /// What a node should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub preferred_during_scheduling_ignored_during_execution: Vec<PreferredNodes>,
}

/// One of these terms must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelector {
    /// The terms.
    #[schemars(length(min = 1, max = 8))]
    pub node_selector_terms: Vec<NodeSelectorTerm>,
}

/// All of these requirements must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelectorTerm {
    /// The requirements.
    #[schemars(length(min = 1, max = 8))]
    pub match_expressions: Vec<NodeRequirement>,
}

/// A requirement of a node's label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : self.operator in ['Exists', 'DoesNotExist'] ? !has(self.values) || size(self.values) == 0 : has(self.values) && size(self.values) == 1").message("In and NotIn need values, Gt and Lt need one, Exists and DoesNotExist have none"))]
pub struct NodeRequirement {
    /// Key of the label.
    #[schemars(length(min = 1, max = 316))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::LABEL_KEY)).message("a label's key consists of letters, digits, '-', '_' and '.', perhaps with a domain and '/' before them"))]
    pub key: String,
    /// How the label and the values compare.
    pub operator: NodeOperator,
    /// The values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 63)))]
    #[x_kube(validation = Rule::new(format!("self.all(value, value.matches('{}'))", text::LABEL_VALUE)).message("a label's value consists of letters, digits, '-', '_' and '.'"))]
    pub values: Vec<String>,
}

/// How a label and values compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NodeOperator {
    /// It is one of them.
    #[default]
    In,
    /// It is none of them.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
    /// It is a greater number.
    Gt,
    /// It is a lesser number.
    Lt,
}

/// Nodes that are better than others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreferredNodes {
    /// How much better.
    #[schemars(range(min = 1, max = 100))]
    pub weight: i32,
    /// Which.
    pub preference: NodeSelectorTerm,
}

/// Pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodAffinity {
    /// What must be so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm>,
    /// What should be so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub preferred_during_scheduling_ignored_during_execution: Vec<PreferredPods>,
}

/// Pods, and how near they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodAffinityTerm {
    /// Which pods.
    pub label_selector: PodLabels,
    /// Label of nodes that pods side by side have in common, such as `kubernetes.io/hostname`.
    #[schemars(length(min = 1, max = 316))]
    #[x_kube(validation = Rule::new(format!("self.matches('{}')", text::LABEL_KEY)).message("a topologyKey consists of letters, digits, '-', '_' and '.', perhaps with a domain and '/' before them"))]
    pub topology_key: String,
}

/// Pods by their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodLabels {
    /// The labels.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 16, "additionalProperties" = {"type": "string", "maxLength": 63, "pattern": text::LABEL_VALUE}))]
    #[x_kube(validation = Rule::new(format!("self.all(key, size(key) <= 317 && key.matches('{}'))", text::LABEL_KEY)).message("a label's key consists of letters, digits, '-', '_' and '.', perhaps with a domain and '/' before them"))]
    pub match_labels: BTreeMap<String, String>,
}

/// Pods that are better than others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreferredPods {
    /// How much better.
    #[schemars(range(min = 1, max = 100))]
    pub weight: i32,
    /// Which, and how near.
    pub pod_affinity_term: PodAffinityTerm,
}

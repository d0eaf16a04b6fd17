//! What would be changed, said and not done.

use std::fmt;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What would be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStatus {
    /// `metadata.generation` of the spec that the plan is for.
    pub generation: i64,
    /// The changes, in their order; none when everything is as the spec asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<PlannedChange>,
}

/// Something that would be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// What would be done.
    pub action: PlannedAction,
    /// What it is done to, for example `Deployment/acme-api` or `schema acme_globex_b1f78a2e9838`.
    pub object: String,
    /// Name of the client whose data it is; none where it is an object of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What it means, for people: programs read the other fields.
    pub detail: String,
}

impl PlannedChange {
    /// Whether data of a client would be lost for good.
    #[must_use]
    pub fn loses_data(&self) -> bool {
        self.action == PlannedAction::Delete && self.client.is_some()
    }
}

/// What would be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PlannedAction {
    /// It is not there yet.
    Create,
    /// It is not as the spec asks.
    Update,
    /// Data that was retained is taken over.
    Adopt,
    /// Its login is taken away, and the data stays.
    Retain,
    /// It goes for good.
    Delete,
}

impl fmt::Display for PlannedAction {
    /// The action as a word within a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Adopt => "adopt",
            Self::Retain => "retain",
            Self::Delete => "delete",
        })
    }
}

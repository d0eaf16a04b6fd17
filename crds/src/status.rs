//! What became of a tenant.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{ObjectiveStatus, PlanStatus};

/// What became of a tenant. All of it is derived: it can be deleted and comes back, except for the
/// identities in `clients`, which are written before anything is created under them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentTenantStatus {
    /// `metadata.generation` of the spec that this status speaks of; it advances on failure too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` and what it is made of: `DatabaseReady`, `CredentialsReady`, `ApiAvailable`,
    /// `CollectorReady`; and, beside them, `ObjectivesMet`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiStatus>,
    /// What the tenant runs for its clients, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub workloads: Vec<WorkloadStatus>,
    /// Clients that exist in Postgres, or are about to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub clients: Vec<ClientStatus>,
    /// Number of entries in `clients`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_count: Option<i32>,
    /// How far the objectives are met; the condition `ObjectivesMet` says it in a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub objectives: Vec<ObjectiveStatus>,
    /// Percent of the error budget that is left of the objective that has the least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_budget_remaining: Option<String>,
    /// The last reconcile that changed something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<ReconcileStatus>,
    /// What would be changed; there while the annotation `docket.dev/plan` is `true`, which keeps
    /// everything else from being changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanStatus>,
}

/// The API as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiStatus {
    /// Base URL inside the cluster.
    pub url: String,
    /// Pods that are wanted.
    pub replicas: i32,
    /// Pods of the current template that serve.
    pub ready_replicas: i32,
}

/// One workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadStatus {
    /// Name of the workload, as in `spec.workloads`.
    pub name: String,
    /// Version of its tables that every client has; 0 before they do.
    #[serde(default)]
    pub schema_version: i32,
    /// Whether a pod serves it as the spec asks.
    pub ready: bool,
    /// How it is, in one sentence.
    pub message: String,
}

/// One client in Postgres.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientStatus {
    /// Name of the client.
    pub name: String,
    /// Its schema, and the prefix of its objects in the bucket.
    pub schema: String,
    /// Its login role.
    pub role: String,
    /// The login role before, while it can log in or somebody is by it: a rotation ends with its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring: Option<String>,
    /// Version of the tables that all workloads share; 0 before they exist.
    #[serde(default)]
    pub schema_version: i32,
}

/// A reconcile that changed something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileStatus {
    /// W3C trace id of the reconcile, 32 hex digits.
    pub trace_id: String,
    /// `metadata.generation` that it worked on.
    pub generation: i64,
    /// When it began.
    pub started_at: Time,
    /// How long it took, for example `412ms`.
    pub duration: String,
    /// Its phases, in their order.
    pub spans: Vec<SpanStatus>,
}

/// A phase of a reconcile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpanStatus {
    /// Name of the phase, which is also its span's.
    pub name: String,
    /// How long it took, for example `61ms`.
    pub duration: String,
}

//! The `DocumentTenant` custom resource, `docket.dev/v1alpha1`.
//!
//! Types, defaults and validation rules live here; the YAML in `charts/docket/files` is generated
//! from them by `cargo run -p docket-crds`. What a rule can refuse at `kubectl apply` is refused
//! there, with its sentence.
//!
//! So do the names that several programs use: [`annotations`], [`labels`], [`names`], and the
//! [conditions](ConditionType) of a status.

mod affinity;
mod alerts;
pub mod annotations;
mod autoscaling;
mod condition;
mod exposure;
mod interval;
mod issuer;
pub mod labels;
pub mod names;
mod network;
mod objective;
mod plan;
mod quantity;
mod reference;
mod size;
mod spec;
mod status;
mod text;
mod topology_spread;
mod workloads;
mod yaml;

pub use affinity::{
    Affinity, NodeAffinity, NodeOperator, NodeRequirement, NodeSelector, NodeSelectorTerm,
    PodAffinity, PodAffinityTerm, PodLabels, PreferredNodes, PreferredPods,
};
pub use alerts::Alerts;
pub use autoscaling::Autoscaling;
pub use condition::{ConditionType, condition, is_current, is_false, is_ready, is_true};
pub use exposure::{HttpRoute, Ingress, ParentReference};
pub use interval::interval;
pub use issuer::Issuer;
pub use network::{IpBlock, Network, NetworkPeer, NetworkSelector};
pub use objective::{BurnRate, Objective, ObjectiveStatus};
pub use plan::{PlanStatus, PlannedAction, PlannedChange};
pub use quantity::{ResourceList, Resources};
pub use reference::SecretReference;
pub use size::bytes;
pub use spec::{
    Api, Auth, AuthMode, Client, Collector, Credentials, Database, DeletionPolicy, DocumentTenant,
    DocumentTenantSpec, Jwt, RateLimit, Redaction, Sampling, TaintEffect, Telemetry, TelemetryTls,
    Tls, Toleration, TolerationOperator,
};
pub use status::{
    ApiStatus, ClientStatus, DocumentTenantStatus, ReconcileStatus, SpanStatus, WorkloadStatus,
};
pub use topology_spread::{NodeInclusionPolicy, TopologySpreadConstraint, WhenUnsatisfiable};
pub use workloads::{
    DOCUMENTS, DocumentsWorkload, OpenAi, PAGE_VIEWS, PageViewsWorkload, Quota, Retention, S3,
    Storage, Summarizer, SummarizerMode, Uploads, WorkloadName, Workloads,
};
pub use yaml::custom_resource_definition_yaml;

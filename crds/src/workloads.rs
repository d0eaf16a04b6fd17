//! What a tenant runs for its clients: one field and one line each.

mod documents;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::SecretReference;

pub use documents::{
    DocumentsWorkload, OpenAi, Quota, Retention, S3, Storage, Summarizer, SummarizerMode, Uploads,
};

/// Name of the workload that keeps documents, as the spec, the status and the servers have it.
pub const DOCUMENTS: &str = "documents";

/// What a tenant runs for its clients. A workload runs if it is named here; to take it out ends its
/// routes, and its tables and content stay or go as `database.deletionPolicy` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.documents)").message("workloads names what the tenant runs, one at least: write documents, with the storage of their content"))]
pub struct Workloads {
    /// Files with metadata, apart for each client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<DocumentsWorkload>,
}

impl Workloads {
    /// Names of those that run.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.documents.iter().map(|_| DOCUMENTS)
    }

    /// Every Secret that they name.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretReference> {
        self.documents.iter().flat_map(DocumentsWorkload::secrets)
    }
}

//! What a tenant runs for its clients: one field and one line each.

mod documents;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecretReference;

pub use documents::{
    DocumentsWorkload, OpenAi, Quota, Retention, S3, Storage, Summarizer, SummarizerMode, Uploads,
};

/// A workload, by its name. Where one may be named, none means all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadName {
    /// Files with metadata.
    Documents,
}

impl WorkloadName {
    /// All that there are, each with its field of [`Workloads`].
    const FIELDS: [(Self, &str); 1] = [(Self::Documents, "documents")];

    /// As the status and the servers have it, too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Documents => DOCUMENTS,
        }
    }

    /// CEL: whether `spec` has the workload that `name` says.
    pub(crate) fn is_in(spec: &str, name: &str) -> String {
        let one = |(workload, field): (Self, &str)| {
            let workload = workload.as_str();
            format!("({name} == '{workload}' && has({spec}.workloads.{field}))")
        };
        Self::FIELDS.map(one).join(" || ")
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn each_workload_has_one_name_and_one_field() {
        let schema = serde_json::to_value(schemars::schema_for!(Workloads)).expect("a schema");
        let properties = schema["properties"].as_object().expect("properties");
        let fields: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut known = WorkloadName::FIELDS.map(|(_, field)| field);
        known.sort_unstable();
        assert_eq!(known[..], fields[..]);
        for (name, _) in WorkloadName::FIELDS {
            assert_eq!(json!(name), Value::from(name.as_str()));
        }
    }
}

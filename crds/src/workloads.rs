//! What a tenant runs for its clients: one field and one line each.

mod documents;
mod page_views;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecretReference;

pub use documents::{
    DocumentsWorkload, OpenAi, Quota, Retention, S3, Storage, Summarizer, SummarizerMode, Uploads,
};
pub use page_views::PageViewsWorkload;

/// A workload, by its name. Where one may be named, none means all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WorkloadName {
    /// Files with metadata.
    Documents,
    /// Views of pages.
    PageViews,
}

impl WorkloadName {
    /// All that there are.
    const ALL: [Self; 2] = [Self::Documents, Self::PageViews];

    /// Its field of [`Workloads`]; the status and the servers have it so, too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Documents => DOCUMENTS,
            Self::PageViews => PAGE_VIEWS,
        }
    }

    /// CEL: whether `spec` has the workload that `name` says.
    pub(crate) fn is_in(spec: &str, name: &str) -> String {
        let one = |workload: Self| {
            let workload = workload.as_str();
            format!("({name} == '{workload}' && has({spec}.workloads.{workload}))")
        };
        Self::ALL.map(one).join(" || ")
    }
}

/// Name of the workload that keeps documents, as the spec, the status and the servers have it.
pub const DOCUMENTS: &str = "documents";

/// Name of the workload that counts views of pages.
pub const PAGE_VIEWS: &str = "pageViews";

/// What a tenant runs for its clients. A workload runs if it is named here; to take it out ends its
/// routes, and its tables and content stay or go as `database.deletionPolicy` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.documents) || has(self.pageViews)").message("workloads names what the tenant runs, one at least: write documents, with the storage of their content, or pageViews"))]
#[x_kube(validation = Rule::new("!has(self.pageViews) || !self.pageViews.documents || has(self.documents)").message("pageViews.documents counts reads of documents: name the workload documents, or leave pageViews.documents out"))]
pub struct Workloads {
    /// Files with metadata, apart for each client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<DocumentsWorkload>,
    /// Views of pages and documents, with visitors that nobody can name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_views: Option<PageViewsWorkload>,
}

impl Workloads {
    /// Names of those that run.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let documents = self.documents.iter().map(|_| DOCUMENTS);
        documents.chain(self.page_views.iter().map(|_| PAGE_VIEWS))
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
        let mut known = WorkloadName::ALL.map(WorkloadName::as_str);
        known.sort_unstable();
        assert_eq!(known[..], fields[..]);
        for name in WorkloadName::ALL {
            assert_eq!(json!(name), Value::from(name.as_str()));
        }
    }
}

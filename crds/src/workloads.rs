//! What a tenant runs for its clients: one field and one line each.

mod documents;
mod page_views;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::SecretReference;

pub use documents::{
    DocumentsWorkload, OpenAi, Quota, Retention, S3, Storage, Summarizer, SummarizerMode, Uploads,
};
pub use page_views::PageViewsWorkload;

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

//! What a tenant runs for its clients: one field and one line each.

mod documents;
mod page_views;

use crate::content::Content;
use crate::content_locations::ContentLocations;

pub use documents::Documents;
pub use page_views::PageViews;

/// The workloads of a tenant as they should be.
#[derive(Clone, Debug, Default)]
pub struct Workloads {
    /// Files with metadata.
    pub documents: Option<Documents>,
    /// Views of pages and documents.
    pub page_views: Option<PageViews>,
    /// For which of them clients have publishable keys.
    pub publications: Vec<Publication>,
    /// Where routes stand beside `/clients`, such as `/api/v1`.
    pub root_prefixes: Vec<&'static str>,
}

/// What a workload wants pages in a browser to do: each client gets a publishable key for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Name of the workload.
    pub workload: &'static str,
    /// The scope that the keys have.
    pub scope: &'static str,
    /// Origins whose pages may use them, serialized as RFC 6454, 6.2 has it.
    pub origins: Vec<String>,
}

impl Workloads {
    /// These, with what pages may do with them and where their routes stand.
    #[must_use]
    pub fn new(documents: Option<Documents>, page_views: Option<PageViews>) -> Self {
        let publications = page_views.iter().filter_map(PageViews::publication);
        let prefixes = page_views.iter().flat_map(|_| PageViews::ROOT_PREFIXES);
        Self {
            publications: publications.collect(),
            root_prefixes: prefixes.collect(),
            documents,
            page_views,
        }
    }

    /// Names of those that run, as the spec has them.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let documents = self.documents.iter().map(|_| docket_crds::DOCUMENTS);
        documents.chain(self.page_views.iter().map(|_| docket_crds::PAGE_VIEWS))
    }

    /// As servers read it.
    #[must_use]
    pub fn config(&self) -> docket_contract::Workloads {
        docket_contract::Workloads {
            documents: self.documents.as_ref().map(Documents::config),
            page_views: self.page_views.as_ref().map(PageViews::config),
        }
    }

    /// Entries of Secrets that servers find in their environment under the same names, each with its Secret.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.documents.iter().flat_map(Documents::variables)
    }

    /// Of the data of Secrets that pods read in place: they are replaced when one changes.
    pub fn secret_hashes(&self) -> impl Iterator<Item = &str> {
        let documents = self.documents.iter();
        documents.map(|documents| documents.storage_secret_hash.as_str())
    }

    /// What of clients is outside their database, to be deleted with them, by the workload.
    #[must_use]
    pub fn content(&self) -> Option<(&'static str, &Content)> {
        let documents = self.documents.as_ref();
        documents.map(|documents| (docket_crds::DOCUMENTS, &documents.content))
    }

    /// Where that is.
    #[must_use]
    pub fn locations(&self) -> ContentLocations {
        let documents = self.documents.as_ref();
        documents
            .map(|it| ContentLocations::one(docket_crds::DOCUMENTS, it.location()))
            .unwrap_or_default()
    }
}

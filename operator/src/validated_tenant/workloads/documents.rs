//! The workload `documents`.

use docket_contract::{DocumentsConfig, Storage, Summarizer, Uploads};

use crate::content::{ACCESS_KEY_ID, Content, SECRET_ACCESS_KEY};
use crate::content_locations::ContentLocation;

/// Documents of a tenant as they should be.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The bucket, and the key to it.
    pub content: Content,
    /// Secret with the bucket's credentials.
    pub storage_secret: String,
    /// Hash of that Secret's data.
    pub storage_secret_hash: String,
    /// What may be uploaded.
    pub uploads: Uploads,
    /// Who makes the summaries, its key included.
    pub summarizer: Summarizer,
}

impl Documents {
    pub(super) fn config(&self) -> DocumentsConfig {
        DocumentsConfig {
            storage: Storage::S3(self.content.storage().clone()),
            uploads: self.uploads.clone(),
            summarizer: self.summarizer.clone(),
        }
    }

    pub(super) fn location(&self) -> ContentLocation {
        let storage = self.content.storage();
        ContentLocation {
            bucket: storage.bucket.clone(),
            endpoint: storage.endpoint.clone(),
            region: storage.region.clone(),
            secret: self.storage_secret.clone(),
        }
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [ACCESS_KEY_ID, SECRET_ACCESS_KEY]
            .into_iter()
            .map(|name| (name, self.storage_secret.as_str()))
    }
}

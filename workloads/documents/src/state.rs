//! What the handlers of documents take, each what it needs.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use docket_contract::DocumentsConfig;
use docket_platform::Platform;
use docket_platform::content_owners::ContentOwners;
use docket_platform::content_reads::ContentReads;
use docket_platform::content_store::ContentStore;
use docket_platform::database::Database;

use super::AcceptedTypes;
use super::find::Finder;
use super::inserter::Inserter;
use super::receive::Receiver;
use crate::text::{Extractor, TextService};

/// What this program lets documents have, unless a tenant says otherwise.
#[derive(Clone, Debug)]
pub struct DocumentsSettings {
    /// Bytes of the largest file.
    pub max_upload_bytes: u64,
    /// Age from which it is looked at whether a document refers to a content; an upload may take half of it.
    pub orphan_grace: Duration,
    /// Time that such content stays after it was first seen so.
    pub orphan_wait: Duration,
    /// The program that reads files of others, when its first argument is [`SUBCOMMAND`](super::SUBCOMMAND).
    pub extractor: PathBuf,
}

/// Limits of a request with content, and of the wait for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_upload_bytes: u64,
    pub(crate) request_timeout: Duration,
    pub(crate) orphan_grace: Duration,
    pub(crate) orphan_wait: Duration,
}

/// The parts. One reference, since each layer around a route copies it for every request.
#[derive(Clone, Debug)]
pub(crate) struct DocumentsState(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    database: Arc<Database>,
    pub(super) content: ContentStore,
    owners: Arc<ContentOwners>,
    content_reads: Arc<ContentReads>,
    finder: Arc<Finder>,
    inserter: Arc<Inserter>,
    receiver: Arc<Receiver>,
    pub(super) texts: Arc<TextService>,
    pub(super) limits: Limits,
}

impl Deref for DocumentsState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Handlers name the part that they need.
macro_rules! parts {
    ($($name:ident: $part:ty,)*) => {$(
        impl FromRef<DocumentsState> for $part {
            fn from_ref(state: &DocumentsState) -> Self {
                state.$name.clone()
            }
        }
    )*};
}

parts! {
    database: Arc<Database>,
    content: ContentStore,
    owners: Arc<ContentOwners>,
    content_reads: Arc<ContentReads>,
    finder: Arc<Finder>,
    inserter: Arc<Inserter>,
    receiver: Arc<Receiver>,
    texts: Arc<TextService>,
    limits: Limits,
}

impl DocumentsState {
    /// # Errors
    /// When the storage or the summarizer of the tenant makes no sense.
    pub(super) fn new(
        platform: &Platform,
        config: &DocumentsConfig,
        settings: DocumentsSettings,
    ) -> anyhow::Result<Self> {
        let tenant = &platform.tenant;
        let timeout = platform.request_timeout;
        let memory = platform.upload_memory.clone();
        let content = ContentStore::open(&config.storage, timeout, memory)?;
        let largest = config.uploads.max_bytes;
        let limits = Limits {
            max_upload_bytes: largest.unwrap_or(settings.max_upload_bytes),
            request_timeout: timeout,
            orphan_grace: settings.orphan_grace,
            orphan_wait: settings.orphan_wait,
        };
        let owners = Arc::new(ContentOwners::new(platform, &content));
        Ok(Self(Arc::new(Parts {
            database: platform.database.clone(),
            content_reads: platform.content_reads.clone(),
            finder: Arc::new(Finder::new(platform.database.clone(), tenant)),
            inserter: Arc::new(Inserter::new(platform.database.clone(), tenant)),
            receiver: Arc::new(Receiver {
                content: content.clone(),
                owners: owners.clone(),
                accepted_types: AcceptedTypes::new(&config.uploads.accepted_types),
                limits,
            }),
            texts: Arc::new(TextService::new(
                &config.summarizer,
                Extractor::new(settings.extractor, platform.memory.reader),
                tenant.clients().len(),
            )?),
            limits,
            content,
            owners,
        })))
    }
}

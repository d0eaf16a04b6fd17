//! Ends what has been in the trash for the client's retention period.

use std::sync::Arc;

use docket_platform::Platform;
use docket_platform::audit::Origin;
use docket_platform::content_owners::ContentOwners;
use docket_platform::content_store::ContentStore;
use docket_platform::database::Database;
use docket_platform::maintenance::{Refused, Task};
use docket_platform::tenant::Client;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use opentelemetry::metrics::Counter;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{expired, metrics};

/// Removes documents and their versions: first the rows, a batch at a time, then what they referred
/// to. What is left by a crash in between, [`Sweep`](super::Sweep) finds.
#[derive(Debug)]
pub struct Purge {
    database: Arc<Database>,
    content: ContentStore,
    owners: ContentOwners,
    purged: Counter<u64>,
}

impl Purge {
    /// Of a tenant's clients.
    pub fn new(platform: &Platform, content: &ContentStore) -> Self {
        Self {
            database: platform.database.clone(),
            content: content.clone(),
            owners: ContentOwners::new(platform, content),
            purged: metrics::purged(),
        }
    }

    /// The rows of a batch: how many documents, and the keys of their contents.
    ///
    /// # Errors
    /// When the database is away; then no row is removed.
    pub async fn remove_expired(&self, client: &Client) -> anyhow::Result<(u64, Vec<Uuid>)> {
        let removed = expired::purge(&self.database, client, &Origin::server()).await?;
        self.purged.add(removed.documents, &[]);
        Ok((removed.documents, removed.keys))
    }

    async fn purge(&self, client: &Client) -> anyhow::Result<()> {
        let mut purged = 0;
        let mut refused = None;
        loop {
            let (documents, keys) = self.remove_expired(client).await?;
            if documents == 0 {
                break;
            }
            purged += documents;
            // Nothing here refers to them any more. Whose they are may have a document that does.
            match self.owners.check(client).await {
                Ok(()) => self.content.remove(client, keys).await?,
                Err(error) if error.is::<Refused>() => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        if purged > 0 {
            tracing::info!(client = client.name, purged, "documents were purged");
        }
        refused.map_or(Ok(()), Err)
    }
}

impl Task for Purge {
    fn name(&self) -> &'static str {
        "purge"
    }

    fn run<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, anyhow::Result<()>> {
        let span = tracing::info_span!("purge_documents");
        self.purge(client).instrument(span).boxed()
    }
}

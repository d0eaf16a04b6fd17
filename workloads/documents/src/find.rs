//! The metadata of one document, asked for together with that of others under load.

use std::collections::HashMap;
use std::sync::Arc;

use docket_platform::database::{Batch, ClientBatchers, Database};
use docket_platform::error::Error;
use docket_platform::tenant::{Client, Tenant};
use tracing::Span;

use super::{Document, repository};

/// `None` is a document that is not there.
type FoundDocument = Option<Arc<Document>>;

/// Finds documents, those that are asked for at the same time together.
#[derive(Debug)]
pub(super) struct Finder {
    database: Arc<Database>,
    batchers: ClientBatchers<i64, FoundDocument>,
}

impl Finder {
    pub(super) fn new(database: Arc<Database>, tenant: &Tenant) -> Self {
        Self {
            database,
            batchers: ClientBatchers::new(tenant),
        }
    }

    /// The document `id` of `client`.
    ///
    /// A request that has spans asks by itself, so that they tell of its own statement, and so does
    /// one for which asking together failed: it gets its own reason.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub(super) async fn find(&self, client: &Arc<Client>, id: i64) -> Result<Arc<Document>, Error> {
        if Span::current().is_none()
            && let Some(batcher) = self.batchers.of(client)
            && let Some(found) = batcher.submit(id, self.all_of(client)).await
        {
            return found.ok_or(Error::NotFound("document"));
        }
        let document = repository::find(&self.database, client, id).await?;
        Ok(Arc::new(document))
    }

    fn all_of(&self, client: &Arc<Client>) -> FindAll {
        FindAll {
            database: self.database.clone(),
            client: client.clone(),
        }
    }
}

struct FindAll {
    database: Arc<Database>,
    client: Arc<Client>,
}

impl Batch<i64, FoundDocument> for FindAll {
    // Two would each find half as many, and cost twice as much.
    const CONCURRENT: usize = 1;
    const MAX_SIZE: usize = 128;

    async fn run(&self, ids: Vec<i64>) -> Option<Vec<FoundDocument>> {
        let found = repository::find_all(&self.database, &self.client, &ids).await;
        let found: HashMap<i64, Arc<Document>> = found
            .ok()?
            .into_iter()
            .map(|document| (document.id, Arc::new(document)))
            .collect();
        Some(ids.iter().map(|id| found.get(id).cloned()).collect())
    }
}

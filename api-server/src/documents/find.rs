//! The metadata of one document, asked for together with that of others under load.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::Span;

use super::{Document, repository};
use crate::App;
use crate::database::{ByClient, Work};
use crate::error::Error;
use crate::tenant::Client;

/// `None` is a document that is not there.
pub(crate) type Found = Option<Arc<Document>>;

/// Requests that wait for a document's metadata.
pub(crate) type Findings = ByClient<i64, Found>;

/// The document `id` of `client`.
///
/// A request that has spans asks by itself, so that they tell of its own statement, and so does
/// one for which asking together failed: it gets its own reason.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(crate) async fn find(
    app: &Arc<App>,
    client: &Arc<Client>,
    id: i64,
) -> Result<Arc<Document>, Error> {
    if Span::current().is_none()
        && let Some(together) = app.findings.of(client)
        && let Some(found) = together.ask(id, FindAll::new(app, client)).await
    {
        return found.ok_or(Error::NotFound("document"));
    }
    let document = repository::find(&app.database, client, id).await?;
    Ok(Arc::new(document))
}

struct FindAll {
    app: Arc<App>,
    client: Arc<Client>,
}

impl FindAll {
    fn new(app: &Arc<App>, client: &Arc<Client>) -> Self {
        Self {
            app: app.clone(),
            client: client.clone(),
        }
    }
}

impl Work<i64, Found> for FindAll {
    // Two would each find half as many, and cost twice as much.
    const TURNS: usize = 1;
    const MOST: usize = 128;

    async fn done(&self, ids: Vec<i64>) -> Option<Vec<Found>> {
        let found = repository::find_all(&self.app.database, &self.client, &ids).await;
        let found: HashMap<i64, Arc<Document>> = found
            .ok()?
            .into_iter()
            .map(|document| (document.id, Arc::new(document)))
            .collect();
        Some(ids.iter().map(|id| found.get(id).cloned()).collect())
    }
}

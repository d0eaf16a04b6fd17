//! Ends what has been in the trash for the client's retention period.

use tracing::Instrument as _;
use uuid::Uuid;

use crate::App;
use crate::audit::Origin;
use crate::documents;
use crate::tenant::Client;

/// Removes documents and their versions: first the rows, a batch at a time, then what they referred
/// to. What is left by a crash in between, [`sweep`](super::sweep()) finds.
///
/// # Errors
/// When the database or the object store is away.
pub async fn purge(app: &App, client: &Client) -> anyhow::Result<()> {
    let span = tracing::info_span!("purge_documents");
    async {
        let mut purged = 0;
        loop {
            let (documents, keys) = remove_expired(app, client).await?;
            if documents == 0 {
                break;
            }
            purged += documents;
            remove_content(app, client, keys).await?;
        }
        if purged > 0 {
            tracing::info!(client = client.name, purged, "documents were purged");
        }
        Ok(())
    }
    .instrument(span)
    .await
}

/// The rows of a batch: how many documents, and the keys of their contents.
///
/// # Errors
/// When the database is away; then no row is removed.
pub async fn remove_expired(app: &App, client: &Client) -> anyhow::Result<(u64, Vec<Uuid>)> {
    let removed = documents::purge(&app.database, client, &Origin::server()).await?;
    app.maintenance.purged(removed.documents);
    Ok((removed.documents, removed.keys))
}

/// The objects under `keys`, which nothing may refer to any more.
///
/// # Errors
/// When the object store is away; some are removed, perhaps.
pub async fn remove_content(app: &App, client: &Client, keys: Vec<Uuid>) -> anyhow::Result<()> {
    Ok(app.content.remove(client, keys).await?)
}

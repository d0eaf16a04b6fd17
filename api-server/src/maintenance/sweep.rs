//! Removes content that nothing refers to: what a crash left between the object store and Postgres.

use futures::StreamExt as _;
use time::OffsetDateTime;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::App;
use crate::content_store::Object;
use crate::documents;
use crate::tenant::Client;

/// Objects that the database is asked about at once.
const BATCH: usize = 500;

/// Looks at every object of `client` that is older than the grace, and removes those that no document
/// and no version has. What is older than the client's schema stays: it is some other database's.
///
/// # Errors
/// When the database or the object store is away.
pub async fn sweep(app: &App, client: &Client) -> anyhow::Result<()> {
    let span = tracing::info_span!("sweep_objects");
    async {
        let since = documents::known_since(&app.database, client).await?;
        let until = OffsetDateTime::now_utc() - app.limits.orphan_grace;
        let mut batches = app.content.list(client).chunks(BATCH);
        let mut swept = 0;
        while let Some(batch) = batches.next().await {
            let objects: Vec<Object> = batch.into_iter().collect::<Result<_, _>>()?;
            let is_old = |object: &&Object| object.modified > since && object.modified < until;
            let old = objects.iter().filter(is_old).map(|object| object.key);
            let old: Vec<Uuid> = old.collect();
            if old.is_empty() {
                continue;
            }
            let orphans = documents::orphans(&app.database, client, &old).await?;
            let number = orphans.len() as u64;
            app.content.remove(client, orphans).await?;
            app.maintenance.swept(number);
            swept += number;
        }
        if swept > 0 {
            tracing::warn!(
                client = client.name,
                swept,
                "content that nothing refers to was removed"
            );
        }
        Ok(())
    }
    .instrument(span)
    .await
}

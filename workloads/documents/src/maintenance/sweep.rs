//! Removes content that nothing refers to: what a crash left between the object store and Postgres.

use std::sync::Arc;
use std::time::Duration;

use docket_platform::Platform;
use docket_platform::content_store::{ContentStore, Object};
use docket_platform::database::Database;
use docket_platform::maintenance::Task;
use docket_platform::tenant::Client;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use opentelemetry::metrics::Counter;
use tracing::Instrument as _;
use uuid::Uuid;

use super::metrics;
use super::orphans::orphans;

/// Objects that the database is asked about at once.
const BATCH: usize = 500;

/// Looks at every object of a client that is older than the grace, and removes those that no document
/// and no version has. What is older than the client's schema stays: it is some other database's.
#[derive(Debug)]
pub struct Sweep {
    database: Arc<Database>,
    content: ContentStore,
    grace: Duration,
    swept: Counter<u64>,
}

impl Sweep {
    /// Of a tenant's clients, whose uploads may take half of `grace`.
    pub fn new(platform: &Platform, content: &ContentStore, grace: Duration) -> Self {
        Self {
            database: platform.database.clone(),
            content: content.clone(),
            grace,
            swept: metrics::swept(),
        }
    }

    async fn sweep(&self, client: &Client) -> anyhow::Result<()> {
        let since = self.database.schema_made(client).await?;
        let until = Timestamp::now() - self.grace;
        let mut batches = self.content.list(client).chunks(BATCH);
        let mut swept = 0;
        while let Some(batch) = batches.next().await {
            let objects: Vec<Object> = batch.into_iter().collect::<Result<_, _>>()?;
            let is_old = |object: &&Object| object.modified > since && object.modified < until;
            let old = objects.iter().filter(is_old).map(|object| object.key);
            let old: Vec<Uuid> = old.collect();
            if old.is_empty() {
                continue;
            }
            let orphans = orphans(&self.database, client, &old).await?;
            let number = orphans.len() as u64;
            self.content.remove(client, orphans).await?;
            self.swept.add(number, &[]);
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
}

impl Task for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    /// To list a bucket costs money.
    fn period(&self) -> Duration {
        self.grace / 4
    }

    fn run<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, anyhow::Result<()>> {
        let span = tracing::info_span!("sweep_objects");
        self.sweep(client).instrument(span).boxed()
    }
}

//! Removes content that nothing refers to: what a crash left between the object store and Postgres.

use std::sync::Arc;
use std::time::Duration;

use docket_contract::Refusal;
use docket_platform::Platform;
use docket_platform::content_owners::ContentOwners;
use docket_platform::content_store::{ContentStore, Object};
use docket_platform::database::Database;
use docket_platform::maintenance::{Refused, Task};
use docket_platform::tenant::Client;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use opentelemetry::metrics::Counter;
use tracing::Instrument as _;

use super::metrics;
use super::orphans::{Due, Marks, Seen};
use crate::NAME;

/// Objects that the database is asked about at once.
const BATCH: usize = 500;

/// So many are never unusual: a few servers that were killed leave as much.
const FEW: u64 = 100;
/// One of so many is what crashes leave at most; more is a sign that rows are missing.
const SHARE: u64 = 10;

/// Marks that no sweep renewed for so long begin anew, whatever the grace is.
const LEAST_UNBROKEN: Duration = Duration::from_secs(60 * 60);

/// Looks at every object of a client that is older than the grace, marks those that no document and no version
/// has, and removes what was marked for as long as the wait. What is older than the client's tables stays: it is
/// some other database's.
#[derive(Debug)]
pub struct Sweep {
    database: Arc<Database>,
    content: ContentStore,
    owners: Arc<ContentOwners>,
    grace: Duration,
    wait: Duration,
    /// Contents that may go although they are unusually many.
    allowed: u64,
    swept: Counter<u64>,
}

impl Sweep {
    /// Of a tenant's clients, whose uploads may take half of `grace`.
    pub fn new(
        platform: &Platform,
        content: &ContentStore,
        grace: Duration,
        wait: Duration,
    ) -> Self {
        Self {
            database: platform.database.clone(),
            content: content.clone(),
            owners: Arc::new(ContentOwners::new(platform, content)),
            grace,
            wait,
            allowed: platform.tenant.sweep_up_to.unwrap_or_default(),
            swept: metrics::swept(),
        }
    }

    async fn sweep(&self, client: &Client) -> anyhow::Result<()> {
        self.owners.check(client).await?;
        let seen = self.mark(client).await?;
        if is_unusual(seen, self.allowed) {
            return Err(Refused {
                reason: Refusal::TooMuchUnnamed,
                because: format!("{} of {}", seen.unnamed, seen.looked_at),
            }
            .into());
        }
        let swept = self.remove_due(client).await?;
        if swept > 0 {
            tracing::warn!(
                client = client.name,
                swept,
                "content that nothing refers to was removed"
            );
        }
        Ok(())
    }

    fn marks<'a>(&'a self, client: &'a Client) -> Marks<'a> {
        Marks {
            database: &self.database,
            client,
        }
    }

    /// Looks at all that is there.
    async fn mark(&self, client: &Client) -> anyhow::Result<Seen> {
        let marks = self.marks(client);
        let since = self.database.tables_made(client, NAME).await?;
        let begun = marks.now().await?;
        let unbroken = self.grace.max(LEAST_UNBROKEN);
        let mut batches = self.content.list(client).chunks(BATCH);
        let mut seen = Seen::default();
        while let Some(batch) = batches.next().await {
            let mut objects: Vec<Object> = batch.into_iter().collect::<Result<_, _>>()?;
            objects.retain(|object| object.modified > since);
            let more = marks.mark(&objects, self.grace, unbroken).await?;
            seen.looked_at += more.looked_at;
            seen.unnamed += more.unnamed;
        }
        marks.forget_others(begun).await?;
        Ok(seen)
    }

    /// Removes what has been marked for long enough, and says how much that was.
    async fn remove_due(&self, client: &Client) -> anyhow::Result<u64> {
        let marks = self.marks(client);
        let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let mut swept = 0;
        loop {
            let due = marks.due(self.wait, most).await?;
            if due.is_empty() {
                return Ok(swept);
            }
            // Whose it is may be otherwise by now, and so may what is there.
            self.owners.check(client).await?;
            let mut keys = Vec::new();
            for one in &due {
                if self.is_as_it_was(client, one).await? {
                    keys.push(one.key);
                }
            }
            let number = keys.len() as u64;
            self.content.remove(client, keys).await?;
            marks.forget(&due).await?;
            self.swept.add(number, &[]);
            swept += number;
        }
    }

    /// Whether nobody put it there again, to record it now.
    async fn is_as_it_was(&self, client: &Client, due: &Due) -> anyhow::Result<bool> {
        let found = self.content.find(client, due.key).await?;
        Ok(found.is_some_and(|object| object.modified == due.modified))
    }
}

/// Whether so much is without a document that rather the documents are missing.
fn is_unusual(seen: Seen, allowed: u64) -> bool {
    seen.unnamed > FEW.max(seen.looked_at / SHARE).max(allowed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_tenth_is_unusual_unless_it_is_little_or_somebody_allowed_it() {
        for (unnamed, looked_at, allowed, unusual) in [
            (0, 0, 0, false),
            (100, 100, 0, false),
            (101, 101, 0, true),
            (101, 2_000, 0, false),
            (200, 2_000, 0, false),
            (201, 2_000, 0, true),
            (201, 2_000, 201, false),
        ] {
            let seen = Seen { looked_at, unnamed };
            assert_eq!(is_unusual(seen, allowed), unusual, "{seen:?} {allowed}");
        }
    }
}

//! Forgets salts and ids that nobody needs any more, views whose time is over, and counts that are very old.

use std::sync::Arc;

use docket_platform::Platform;
use docket_platform::database::{Database, Statement, arguments};
use docket_platform::error::Error;
use docket_platform::maintenance::Task;
use docket_platform::tenant::Client;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;
use sqlx::postgres::PgArguments;
use tracing::Instrument as _;

use crate::counts::{COUNTS, DAYS};
use crate::insertion::{IDS, REJECTS, TABLE};
use crate::{day, salts};

/// Days for which counts are kept at least: of five years. They have no visitors in them.
const COUNTS_KEPT: u32 = 5 * 366;
/// Rows that one statement deletes at most.
const BATCH: i64 = 10_000;

// A view may be sent again for a day.
const OLD_IDS: Statement = Statement {
    operation: "DELETE",
    table: IDS,
    sql: "WITH gone AS (\
            DELETE FROM page_view_ids WHERE id IN (\
              SELECT id FROM page_view_ids WHERE seen < now() - interval '24 hours' LIMIT $1\
            ) RETURNING 1\
          ) SELECT count(*) AS gone FROM gone",
};

// What is not counted for good stays, however old it is.
const OLD_VIEWS: Statement = Statement {
    operation: "DELETE",
    table: TABLE,
    sql: "WITH gone AS (\
            DELETE FROM page_views WHERE ctid = ANY (ARRAY(\
              SELECT it.ctid FROM page_views AS it JOIN page_view_days USING (day) \
              WHERE day < $2 AND is_final LIMIT $1\
            )) RETURNING 1\
          ) SELECT count(*) AS gone FROM gone",
};

const OLD_COUNTS: Statement = Statement {
    operation: "DELETE",
    table: COUNTS,
    sql: "WITH gone AS (\
            DELETE FROM page_view_counts WHERE ctid = ANY (ARRAY(\
              SELECT ctid FROM page_view_counts \
              WHERE dimension IN ('day', 'path', 'document', 'referrer') AND day < $2 LIMIT $1\
            )) RETURNING 1\
          ) SELECT count(*) AS gone FROM gone",
};

const OLD_DAYS: Statement = Statement {
    operation: "DELETE",
    table: DAYS,
    sql: "DELETE FROM page_view_days WHERE day < $1",
};

const OLD_REJECTS: Statement = Statement {
    operation: "DELETE",
    table: REJECTS,
    sql: "DELETE FROM page_view_rejects WHERE day < $1",
};

/// Forgets what is over.
#[derive(Debug)]
pub(crate) struct Forget {
    database: Arc<Database>,
    retention_days: u32,
}

impl Forget {
    /// Views stay for `retention_days` after their day.
    pub(crate) fn new(platform: &Platform, retention_days: u32) -> Self {
        Self {
            database: platform.database.clone(),
            retention_days,
        }
    }

    /// As of `now`.
    async fn forget(&self, client: &Client, now: Timestamp) -> anyhow::Result<()> {
        salts::forget(&self.database, client, now).await?;
        let batch = || arguments().with(BATCH);
        self.all(client, OLD_IDS, || Ok(batch()?.end())).await?;
        let first = first_kept(day::day(now), self.retention_days).to_sqlx();
        self.all(client, OLD_VIEWS, || Ok(batch()?.with(first)?.end()))
            .await?;
        // Counts outlive the views that they are of: a day without either would be counted as it is not.
        let counts = self.retention_days.max(COUNTS_KEPT);
        let first = first_kept(day::day(now), counts).to_sqlx();
        self.all(client, OLD_COUNTS, || Ok(batch()?.with(first)?.end()))
            .await?;
        for statement in [OLD_DAYS, OLD_REJECTS] {
            self.run(client, statement, arguments().with(first)?.end())
                .await?;
        }
        Ok(())
    }

    /// Runs `statement` until it finds nothing more.
    async fn all(
        &self,
        client: &Client,
        statement: Statement,
        values: impl Fn() -> Result<PgArguments, Error>,
    ) -> Result<(), Error> {
        loop {
            let gone = self.run(client, statement, values()?).await?;
            if gone < BATCH {
                return Ok(());
            }
        }
    }

    /// How many rows it says that it deleted.
    async fn run(
        &self,
        client: &Client,
        statement: Statement,
        values: PgArguments,
    ) -> Result<i64, Error> {
        let work = async {
            let mut connection = self.database.connection(client).await?;
            let rows = statement.fetch_all(&self.database, connection.as_mut(), values);
            let rows = rows.await?;
            let gone = rows.first().map(|row| row.try_get("gone"));
            Ok(gone.transpose()?.unwrap_or_default())
        };
        self.database.within_deadline(work).await
    }
}

/// The first day that is kept on the day `today`.
fn first_kept(today: Date, days: u32) -> Date {
    today.saturating_sub(i64::from(days).days())
}

impl Task for Forget {
    fn name(&self) -> &'static str {
        "forget_page_views"
    }

    fn run<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, anyhow::Result<()>> {
        let span = tracing::info_span!("forget_page_views");
        let forget = self.forget(client, Timestamp::now());
        forget.instrument(span).boxed()
    }
}

//! Counts the days that are over. The count of a day is replaced as a whole, with all that came late, until no
//! more can come.

use std::sync::Arc;

use docket_platform::Platform;
use docket_platform::database::{Database, Statement, Transaction, arguments};
use docket_platform::error::Error;
use docket_platform::maintenance::Task;
use docket_platform::tenant::Client;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use tracing::Instrument as _;

use crate::counts::{COUNTS, DAYS};
use crate::day;
use crate::day_counts::{each_value, whole_day};
use crate::insertion::TABLE;

// One look into the index for each day that has views.
const UNCOUNTED: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: "WITH RECURSIVE each AS (\
            (SELECT day FROM page_views WHERE day < $1 ORDER BY day LIMIT 1) \
            UNION ALL \
            SELECT (SELECT day FROM page_views WHERE day > each.day AND day < $1 ORDER BY day LIMIT 1) \
            FROM each WHERE each.day IS NOT NULL\
          ) SELECT day FROM each LEFT JOIN page_view_days USING (day) \
          WHERE day IS NOT NULL AND is_final IS NOT TRUE ORDER BY day",
};

/// A day may have more views than a request could wait for.
const PATIENCE: Statement = Statement {
    operation: "SET",
    table: COUNTS,
    sql: "SET LOCAL statement_timeout = '15min'",
};

// Who counts the same day at the same time waits here, and then finds it counted.
const CLAIM: Statement = Statement {
    operation: "INSERT",
    table: DAYS,
    sql: "INSERT INTO page_view_days AS it (day, is_final) VALUES ($1, $2) \
          ON CONFLICT (day) DO UPDATE SET is_final = excluded.is_final WHERE NOT it.is_final \
          RETURNING day",
};

const CLEAR: Statement = Statement {
    operation: "DELETE",
    table: COUNTS,
    sql: "DELETE FROM page_view_counts \
          WHERE dimension IN ('day', 'path', 'document', 'referrer') AND day = $1",
};

const WHOLE: Statement = Statement {
    operation: "INSERT",
    table: COUNTS,
    sql: concat!(
        "INSERT INTO page_view_counts (dimension, day, views, visitors) \
         SELECT 'day', $1, views, visitors FROM (",
        whole_day!(),
        ") AS counted"
    ),
};

macro_rules! by_value {
    ($dimension:literal, $value:literal) => {
        Statement {
            operation: "INSERT",
            table: COUNTS,
            sql: concat!(
                "INSERT INTO page_view_counts (dimension, day, value, views, visitors) SELECT '",
                $dimension,
                "', $1, kept, views, visitors FROM (",
                each_value!($value),
                ") AS counted"
            ),
        }
    };
}

const BY_VALUE: [Statement; 3] = [
    by_value!("path", "path"),
    by_value!("document", "document_id::text"),
    by_value!("referrer", "referrer"),
];

/// Counts days that are over.
#[derive(Debug)]
pub(crate) struct CountDays {
    database: Arc<Database>,
}

impl CountDays {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self {
            database: platform.database.clone(),
        }
    }

    /// As of `now`.
    async fn count(&self, client: &Client, now: Timestamp) -> anyhow::Result<()> {
        for day in self.uncounted(client, day::day(now)).await? {
            let is_final = day < day::first_unsettled(now);
            self.count_day(client, day, is_final).await?;
        }
        Ok(())
    }

    async fn uncounted(&self, client: &Client, before: Date) -> Result<Vec<Date>, Error> {
        let arguments = arguments().with(before.to_sqlx())?.end();
        let mut connection = self.database.connection(client).await?;
        let days = UNCOUNTED.fetch_all(&self.database, connection.as_mut(), arguments);
        let days = self.database.within_deadline(days).await?;
        let days = days.iter().map(|row| Ok(day::of_row(row)?));
        days.collect()
    }

    async fn count_day(&self, client: &Client, day: Date, is_final: bool) -> Result<(), Error> {
        let database = &self.database;
        let of_day = || arguments().with(day.to_sqlx());
        let mut connection = database.connection(client).await?;
        let mut transaction = Transaction::begin(&mut connection, COUNTS).await?;
        PATIENCE
            .fetch_all(database, transaction.as_mut(), arguments().end())
            .await?;
        let claim = of_day()?.with(is_final)?.end();
        let claimed = CLAIM.fetch_optional(database, transaction.as_mut(), claim);
        if claimed.await?.is_none() {
            return Ok(());
        }
        for statement in [CLEAR, WHOLE].into_iter().chain(BY_VALUE) {
            statement
                .fetch_all(database, transaction.as_mut(), of_day()?.end())
                .await?;
        }
        transaction.commit().await
    }
}

impl Task for CountDays {
    fn name(&self) -> &'static str {
        "count_page_views"
    }

    fn run<'a>(&'a self, client: &'a Client) -> BoxFuture<'a, anyhow::Result<()>> {
        let span = tracing::info_span!("count_page_views");
        let count = self.count(client, Timestamp::now());
        count.instrument(span).boxed()
    }
}

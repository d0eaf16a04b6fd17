//! Reading what was counted: the counts of days that are counted, and the views of those that are not yet.

use std::collections::BTreeMap;

use docket_platform::database::{Database, Statement, Transaction, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::day;
use crate::dimension::Dimension;
use crate::insertion::{REJECTS, TABLE};

pub(crate) const DAYS: &str = "page_view_days";
pub(crate) const COUNTS: &str = "page_view_counts";

/// Every statement of a report sees the same, whatever maintenance does meanwhile.
const ONE_SNAPSHOT: Statement = Statement {
    operation: "SET",
    table: COUNTS,
    sql: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
};

/// The visitors of a busy day fit into this, and are not sorted on the disk.
const ROOM: Statement = Statement {
    operation: "SET",
    table: COUNTS,
    sql: "SET LOCAL work_mem = '32MB'",
};

const OPEN: Statement = Statement {
    operation: "SELECT",
    table: DAYS,
    sql: "SELECT day::date FROM generate_series($1::date, $2::date, '1 day') AS day \
          EXCEPT SELECT day FROM page_view_days WHERE day BETWEEN $1 AND $2",
};

const BY_DAY: Statement = Statement {
    operation: "SELECT",
    table: COUNTS,
    sql: "SELECT day, views, visitors FROM page_view_counts \
            WHERE dimension = 'day' AND day BETWEEN $1 AND $2 AND day <> ALL ($3) \
          UNION ALL \
          SELECT day, sum(views)::bigint, count(*) FROM (\
            SELECT day, visitor, count(*) AS views FROM page_views WHERE day = ANY ($3) \
            GROUP BY day, visitor\
          ) AS each GROUP BY day ORDER BY day",
};

/// Those with the most views first, and before them the sum of those that no value is kept of.
macro_rules! by_value {
    ($dimension:literal, $value:literal) => {
        Statement {
            operation: "SELECT",
            table: COUNTS,
            sql: concat!(
                "SELECT value, sum(views)::bigint AS views, sum(visitors)::bigint AS visitors FROM (\
                   SELECT value, views, visitors FROM page_view_counts WHERE dimension = '",
                $dimension,
                "' AND day BETWEEN $1 AND $2 AND day <> ALL ($3) \
                   UNION ALL \
                   SELECT value, sum(views), count(*) FROM (\
                     SELECT day, ",
                $value,
                " AS value, visitor, count(*) AS views FROM page_views WHERE day = ANY ($3) \
                     GROUP BY 1, 2, 3\
                   ) AS each WHERE value IS NOT NULL GROUP BY day, value\
                 ) AS counted GROUP BY value \
                 ORDER BY value IS NOT NULL, 2 DESC, value LIMIT $4"
            ),
        }
    };
}

const BY_PATH: Statement = by_value!("path", "path");
const BY_DOCUMENT: Statement = by_value!("document", "document_id::text");
const BY_REFERRER: Statement = by_value!("referrer", "referrer");

const NOT_COUNTED: Statement = Statement {
    operation: "SELECT",
    table: REJECTS,
    sql: "SELECT outcome, sum(views)::bigint AS views FROM page_view_rejects \
          WHERE day BETWEEN $1 AND $2 GROUP BY outcome",
};

/// Views, and the visitors of each day that they are of, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) views: i64,
    pub(crate) visitors: i64,
}

/// What was counted in some days.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) days: BTreeMap<Date, Count>,
    /// With the most views first; none of [`Dimension::Day`].
    pub(crate) values: Vec<(String, Count)>,
    /// Of all values that no count is kept of.
    pub(crate) others: Option<Count>,
    /// Views, by why they do not count.
    pub(crate) not_counted: BTreeMap<String, i64>,
}

/// What `client` had from the day `from` to the day `to`, both included, and `limit` values of `by`.
pub(crate) async fn read(
    database: &Database,
    client: &Client,
    (from, to): (Date, Date),
    by: Dimension,
    limit: i64,
) -> Result<Counts, Error> {
    let work = async {
        let mut connection = database.connection(client).await?;
        let mut transaction = Transaction::begin(&mut connection, TABLE).await?;
        for statement in [ONE_SNAPSHOT, ROOM] {
            statement
                .fetch_all(database, transaction.as_mut(), arguments().end())
                .await?;
        }
        let range = || arguments().with(from.to_sqlx())?.with(to.to_sqlx());
        let open = OPEN
            .fetch_all(database, transaction.as_mut(), range()?.end())
            .await?;
        let open = open.iter().map(day::of_row);
        let open = day::array(open.collect::<Result<Vec<_>, _>>()?);
        let days = BY_DAY
            .fetch_all(
                database,
                transaction.as_mut(),
                range()?.with(open.as_slice())?.end(),
            )
            .await?;
        let statement = match by {
            Dimension::Day => None,
            Dimension::Path => Some(BY_PATH),
            Dimension::Document => Some(BY_DOCUMENT),
            Dimension::Referrer => Some(BY_REFERRER),
        };
        let values = match statement {
            None => Vec::new(),
            Some(statement) => {
                // The sum of the others may come with them.
                let which = range()?.with(open.as_slice())?.with(limit + 1)?.end();
                statement
                    .fetch_all(database, transaction.as_mut(), which)
                    .await?
            }
        };
        let not_counted = NOT_COUNTED
            .fetch_all(database, transaction.as_mut(), range()?.end())
            .await?;
        transaction.commit().await?;
        Ok(counts(&days, &values, &not_counted, limit)?)
    };
    database.within_deadline(work).await
}

fn counts(
    days: &[PgRow],
    values: &[PgRow],
    not_counted: &[PgRow],
    limit: i64,
) -> sqlx::Result<Counts> {
    let count = |row: &PgRow| {
        Ok::<_, sqlx::Error>(Count {
            views: row.try_get("views")?,
            visitors: row.try_get("visitors")?,
        })
    };
    let mut others = None;
    let mut named = Vec::new();
    for row in values {
        match row.try_get("value")? {
            None => others = Some(count(row)?),
            Some(value) => named.push((value, count(row)?)),
        }
    }
    named.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let days = days.iter().map(|row| Ok((day::of_row(row)?, count(row)?)));
    let not_counted = not_counted
        .iter()
        .map(|row| Ok((row.try_get("outcome")?, row.try_get("views")?)));
    Ok(Counts {
        days: days.collect::<sqlx::Result<_>>()?,
        values: named,
        others,
        not_counted: not_counted.collect::<sqlx::Result<_>>()?,
    })
}

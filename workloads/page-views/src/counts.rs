//! Reading what was counted, by maintenance or, of open days, just now.

use std::collections::BTreeMap;

use docket_platform::database::{ArgumentList, Database, Statement, Transaction, arguments};
use docket_platform::error::Error;
use docket_platform::tenant::Client;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::day;
use crate::dimension::Dimension;
use crate::insertion::{REJECTS, TABLE};
use crate::open_days::{self, OpenDay};

pub(crate) const DAYS: &str = "page_view_days";
pub(crate) const COUNTS: &str = "page_view_counts";

/// Every statement of a report sees the same, whatever maintenance does meanwhile.
const ONE_SNAPSHOT: Statement = Statement {
    operation: "SET",
    table: COUNTS,
    sql: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
};

/// The visitors of a busy day fit into this, and are not gathered on the disk.
const ROOM: Statement = Statement {
    operation: "SET",
    table: COUNTS,
    sql: "SET LOCAL work_mem = '32MB'",
};

const BY_DAY: Statement = Statement {
    operation: "SELECT",
    table: COUNTS,
    sql: "SELECT day, views, visitors FROM page_view_counts \
          WHERE dimension = 'day' AND day BETWEEN $1 AND $2",
};

/// Those with the most views first, and before them the sum of those that no value is kept of. What open days have
/// is told as values, their views and their visitors.
macro_rules! by_value {
    ($dimension:literal) => {
        Statement {
            operation: "SELECT",
            table: COUNTS,
            sql: concat!(
                "SELECT value, sum(views)::bigint AS views, sum(visitors)::bigint AS visitors FROM (\
                   SELECT value, views, visitors FROM page_view_counts WHERE dimension = '",
                $dimension,
                "' AND day BETWEEN $1 AND $2 \
                   UNION ALL \
                   SELECT value, views, visitors \
                   FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS open (value, views, visitors)\
                 ) AS counted GROUP BY value \
                 ORDER BY value IS NOT NULL, 2 DESC, value LIMIT $6"
            ),
        }
    };
}

const BY_PATH: Statement = by_value!("path");
const BY_DOCUMENT: Statement = by_value!("document");
const BY_REFERRER: Statement = by_value!("referrer");

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

impl Count {
    pub(crate) fn of_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            views: row.try_get("views")?,
            visitors: row.try_get("visitors")?,
        })
    }
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
        let open = open_days::count(database, &mut transaction, (from, to), by).await?;
        let range = || arguments().with(from.to_sqlx())?.with(to.to_sqlx());
        let days = BY_DAY
            .fetch_all(database, transaction.as_mut(), range()?.end())
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
                let which = with_values(range()?, &open)?.with(limit + 1)?.end();
                statement
                    .fetch_all(database, transaction.as_mut(), which)
                    .await?
            }
        };
        let not_counted = NOT_COUNTED
            .fetch_all(database, transaction.as_mut(), range()?.end())
            .await?;
        transaction.commit().await?;
        Ok(counts(&days, &open, &values, &not_counted, limit)?)
    };
    database.within_deadline(work).await
}

/// `range`, and what open days have of each value.
fn with_values(range: ArgumentList, open: &[(Date, OpenDay)]) -> Result<ArgumentList, Error> {
    let values = open.iter().flat_map(|(_, day)| &day.values);
    let names: Vec<_> = values.clone().map(|(value, _)| value.as_deref()).collect();
    let views: Vec<_> = values.clone().map(|(_, count)| count.views).collect();
    let visitors: Vec<_> = values.map(|(_, count)| count.visitors).collect();
    range.with(names)?.with(views)?.with(visitors)
}

fn counts(
    days: &[PgRow],
    open: &[(Date, OpenDay)],
    values: &[PgRow],
    not_counted: &[PgRow],
    limit: i64,
) -> sqlx::Result<Counts> {
    let mut others = None;
    let mut named = Vec::new();
    for row in values {
        match row.try_get("value")? {
            None => others = Some(Count::of_row(row)?),
            Some(value) => named.push((value, Count::of_row(row)?)),
        }
    }
    named.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let days = days
        .iter()
        .map(|row| Ok((day::of_row(row)?, Count::of_row(row)?)))
        .chain(open.iter().map(|(day, open)| Ok((*day, open.total))));
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

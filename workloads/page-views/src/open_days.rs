//! Counting days that maintenance has not counted yet, today's among them, for one report.
//!
//! Which visitors differ is found out here: it takes Postgres three times as long to group a day's views by
//! visitor as to bring all visitors of each value. Of a day with very many views, Postgres counts all the same.

use docket_platform::database::{Database, Statement, Transaction, arguments};
use docket_platform::error::Error;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::counts::{Count, DAYS};
use crate::day;
use crate::day_counts::{each_value, whole_day};
use crate::dimension::Dimension;
use crate::insertion::TABLE;
use crate::visitor::LENGTH;

/// Views of a day whose visitors are counted here at most: 16 bytes of each come, and are copied once.
const MOST: usize = 300_000;

// One look into the index for each day that is not counted.
const OPEN: Statement = Statement {
    operation: "SELECT",
    table: DAYS,
    sql: "SELECT day FROM (\
            SELECT day::date FROM generate_series($1::date, $2::date, '1 day') AS day \
            EXCEPT SELECT day FROM page_view_days WHERE day BETWEEN $1 AND $2\
          ) AS open WHERE day = (\
            SELECT it.day FROM page_views AS it WHERE it.day >= open.day ORDER BY it.day LIMIT 1\
          )",
};

/// The visitors of each view of the day `$1`, unless it has more than `$2`: by value the thousand with the most
/// views, then those of all other values, and of views that have none.
macro_rules! visitors {
    ($value:literal) => {
        Statement {
            operation: "SELECT",
            table: TABLE,
            sql: concat!(
                "WITH each AS (\
                   SELECT value, count(*) AS views, string_agg(visitor, '') AS visitors FROM (\
                     SELECT ",
                $value,
                " AS value, visitor FROM page_views WHERE day = $1 LIMIT $2\
                   ) AS first GROUP BY value\
                 ), ranked AS (\
                   SELECT value, visitors, \
                     row_number() OVER (ORDER BY value IS NULL, views DESC, value) AS rank FROM each\
                 ) SELECT CASE WHEN rank <= 1000 THEN value END AS kept, value IS NOT NULL AS has_value, \
                   string_agg(visitors, '') AS visitors FROM ranked GROUP BY kept, has_value"
            ),
        }
    };
}

const WHOLE: Statement = Statement {
    operation: "SELECT",
    table: TABLE,
    sql: whole_day!(),
};

/// What a report by one dimension asks of a day.
struct Questions {
    visitors: Statement,
    /// Of a day with too many views for the others.
    each_value: Option<Statement>,
}

macro_rules! questions {
    ($value:literal) => {
        Questions {
            visitors: visitors!($value),
            each_value: Some(Statement {
                operation: "SELECT",
                table: TABLE,
                sql: each_value!($value),
            }),
        }
    };
}

const fn questions(by: Dimension) -> Questions {
    match by {
        Dimension::Day => Questions {
            visitors: visitors!("NULL::text"),
            each_value: None,
        },
        Dimension::Path => questions!("path"),
        Dimension::Document => questions!("document_id::text"),
        Dimension::Referrer => questions!("referrer"),
    }
}

/// What one day has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenDay {
    pub(crate) total: Count,
    /// As maintenance will count them: no value stands for all that are not among the thousand.
    pub(crate) values: Vec<(Option<String>, Count)>,
}

/// The days from `from` to `to` that have views and are not counted, by `by`.
pub(crate) async fn count(
    database: &Database,
    transaction: &mut Transaction<'_>,
    (from, to): (Date, Date),
    by: Dimension,
) -> Result<Vec<(Date, OpenDay)>, Error> {
    let range = arguments().with(from.to_sqlx())?.with(to.to_sqlx())?.end();
    let open = OPEN.fetch_all(database, transaction.as_mut(), range);
    let mut days = Vec::new();
    for row in open.await? {
        let day = day::of_row(&row)?;
        days.push((day, count_day(database, transaction, day, by).await?));
    }
    Ok(days)
}

async fn count_day(
    database: &Database,
    transaction: &mut Transaction<'_>,
    day: Date,
    by: Dimension,
) -> Result<OpenDay, Error> {
    let Questions {
        visitors,
        each_value,
    } = questions(by);
    let of_day = || arguments().with(day.to_sqlx());
    let first = i64::try_from(MOST + 1).expect("a small number");
    let which = of_day()?.with(first)?.end();
    let rows = visitors.fetch_all(database, transaction.as_mut(), which);
    let rows = rows.await?;
    let size: usize = rows
        .iter()
        .map(|row| row_visitors(row).map(<[u8]>::len))
        .sum::<sqlx::Result<_>>()?;
    if size <= MOST * LENGTH {
        // Some hundredths of a second, which other requests on this thread would wait for.
        let count = tokio::task::spawn_blocking(move || by_values(&rows));
        return Ok(count.await.map_err(|_| Error::Panic)??);
    }
    let whole = WHOLE.fetch_all(database, transaction.as_mut(), of_day()?.end());
    let whole = whole.await?;
    let total = whole.first().map(Count::of_row).transpose()?;
    let values = match each_value {
        None => Vec::new(),
        Some(statement) => {
            statement
                .fetch_all(database, transaction.as_mut(), of_day()?.end())
                .await?
        }
    };
    let values = values
        .iter()
        .map(|row| Ok((row.try_get("kept")?, Count::of_row(row)?)));
    Ok(OpenDay {
        total: total.unwrap_or_default(),
        values: values.collect::<sqlx::Result<_>>()?,
    })
}

fn row_visitors(row: &PgRow) -> sqlx::Result<&[u8]> {
    row.try_get("visitors")
}

fn by_values(rows: &[PgRow]) -> sqlx::Result<OpenDay> {
    let values = rows.iter().map(|row| {
        let value = row.try_get("has_value")?;
        let kept = row.try_get("kept")?;
        Ok((value, kept, row_visitors(row)?))
    });
    Ok(different(values.collect::<sqlx::Result<_>>()?))
}

/// Counts visitors that differ: of each value, if there is one, and of all together.
fn different(values: Vec<(bool, Option<String>, &[u8])>) -> OpenDay {
    let mut day = OpenDay::default();
    let mut all = Vec::new();
    for (has_value, kept, visitors) in values {
        let from = all.len();
        let (visitors, _) = visitors.as_chunks::<LENGTH>();
        all.extend(visitors.iter().map(|it| u128::from_ne_bytes(*it)));
        if has_value {
            day.values.push((kept, sort_and_count(&mut all[from..])));
        }
    }
    day.total = sort_and_count(&mut all);
    day
}

fn sort_and_count(visitors: &mut [u128]) -> Count {
    visitors.sort_unstable();
    let number = |count: usize| i64::try_from(count).expect("memory has room for fewer");
    Count {
        views: number(visitors.len()),
        visitors: number(visitors.chunk_by(u128::eq).count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitors(text: &str) -> Vec<u8> {
        text.bytes().flat_map(|byte| [byte; LENGTH]).collect()
    }

    #[test]
    fn visitors_are_different_ones_of_each_value_and_of_the_whole_day() {
        let (pricing, others, contents) = (visitors("abba"), visitors("bc"), visitors("cd"));
        let counted = different(vec![
            (true, Some("/pricing".into()), &pricing),
            (true, None, &others),
            (false, None, &contents),
        ]);
        let count = |views, visitors| Count { views, visitors };
        let expected = OpenDay {
            total: count(8, 4),
            values: vec![(Some("/pricing".into()), count(4, 2)), (None, count(2, 2))],
        };
        assert_eq!(counted, expected);
    }
}

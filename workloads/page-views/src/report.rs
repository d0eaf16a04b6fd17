//! `GET …/page-views/report`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use docket_platform::database::Database;
use docket_platform::error::Error;
use docket_platform::middleware::auth::Caller;
use docket_platform::paging::query::{bad, each};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use crate::counts::{self, Count, Counts};
use crate::day;
use crate::dimension::Dimension;

/// Days of a report unless told.
const DEFAULT_DAYS: i64 = 30;
/// Days of a report at most: of ten years.
const MOST_DAYS: i32 = 3660;
const DEFAULT_LIMIT: i64 = 100;
const LARGEST_LIMIT: i64 = 1000;

/// What a report is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    from: Date,
    to: Date,
    by: Dimension,
    limit: i64,
}

/// Views and visitors of some days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    /// The first day, of UTC.
    #[schema(format = Date)]
    from: String,
    /// The last day.
    #[schema(format = Date)]
    to: String,
    #[serde(flatten)]
    total: Numbers,
    /// By day in their order, else those with the most views first. A day without views is left out.
    #[schema(max_items = 3660)]
    rows: Vec<ReportRow>,
    /// What values have that are not among the thousand with the most views of their day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    others: Option<Numbers>,
    /// Views that do not count, by why not: `duplicate`, `bot`, `preview`, `refused`.
    not_counted: BTreeMap<String, i64>,
}

/// Views, and who made them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Numbers {
    #[schema(minimum = 0)]
    views: i64,
    /// Of one day: different visitors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, nullable = false)]
    visitors: Option<i64>,
    /// Of several days: the visitors of each, added up. Who comes on two days counts twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, nullable = false)]
    visitor_days: Option<i64>,
}

impl Numbers {
    const fn of_a_day(count: Count) -> Self {
        Self {
            views: count.views,
            visitors: Some(count.visitors),
            visitor_days: None,
        }
    }

    const fn of_days(count: Count) -> Self {
        Self {
            views: count.views,
            visitors: None,
            visitor_days: Some(count.visitors),
        }
    }
}

/// What one day, path, document or host has; it has the member that the report is made by.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date, nullable = false)]
    day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    document_id: Option<i64>,
    /// Host of the page that led here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    referrer: Option<String>,
    #[serde(flatten)]
    numbers: Numbers,
}

/// Report page views
///
/// Days are those of UTC. `visitors` of different days cannot be told to be the same, so of several days there
/// are `visitor_days`.
#[utoipa::path(
    get,
    path = "/page-views/report",
    tag = "pageViews",
    params(
        ("from" = Option<String>, Query, format = Date,
            description = "The first day; unless told 29 days before the last"),
        ("to" = Option<String>, Query, format = Date, description = "The last day; today unless told"),
        ("by" = Option<String>, Query, pattern = "^(day|path|document|referrer)$",
            description = "What the rows are: `day` unless told, or `path`, `document`, `referrer`"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "So many rows at most, unless they are days; 100 unless told"),
    ),
    responses((status = 200, description = "The report", body = Report))
)]
#[tracing::instrument(name = "report_page_views", skip_all, err(level = "debug"))]
pub(crate) async fn report_page_views(
    State(database): State<Arc<Database>>,
    Caller { client, .. }: Caller,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<Report>, Error> {
    let today = day::day(Timestamp::now());
    let wanted = parse(uri.query().unwrap_or_default(), today)?;
    let range = (wanted.from, wanted.to);
    let counts = counts::read(&database, &client, range, wanted.by, wanted.limit).await?;
    Ok(Json(report(&wanted, counts)))
}

fn parse(query: &str, today: Date) -> Result<Wanted, Error> {
    let (mut from, mut to) = (None, None);
    let (mut by, mut limit) = (Dimension::Day, DEFAULT_LIMIT);
    each(query, |name, value| {
        match name {
            "from" => from = Some(date(name, value)?),
            "to" => to = Some(date(name, value)?),
            "by" => {
                let what = "must be day, path, document or referrer";
                by = Dimension::named(value).ok_or_else(|| bad(name, what))?;
            }
            "limit" => {
                let sent = value.parse().ok();
                let sent = sent.filter(|sent| (1..=LARGEST_LIMIT).contains(sent));
                limit = sent.ok_or_else(|| bad(name, "must be a whole number from 1 to 1000"))?;
            }
            _ => return Err(bad(name, "is not known here")),
        }
        Ok(())
    })?;
    let to = to.unwrap_or(today);
    let from = from.unwrap_or_else(|| to.saturating_sub((DEFAULT_DAYS - 1).days()));
    if from > to {
        return Err(bad("from", "must not be later than to"));
    }
    if (to - from).get_days() >= MOST_DAYS {
        return Err(bad("from", "must not be more than 3659 days before to"));
    }
    Ok(Wanted {
        from,
        to,
        by,
        limit,
    })
}

fn date(name: &str, value: &str) -> Result<Date, Error> {
    let date = value.parse().ok();
    // What Postgres knows, and as RFC 3339 writes it.
    let date = date.filter(|date: &Date| date.year() >= 1 && date.to_string() == value);
    date.ok_or_else(|| bad(name, "must be a day, such as 2026-03-01"))
}

fn report(wanted: &Wanted, counts: Counts) -> Report {
    let is_one_day = wanted.from == wanted.to;
    let numbers = |count| match is_one_day {
        true => Numbers::of_a_day(count),
        false => Numbers::of_days(count),
    };
    let total = counts
        .days
        .values()
        .fold(Count::default(), |all, day| Count {
            views: all.views + day.views,
            visitors: all.visitors + day.visitors,
        });
    let empty = |numbers| ReportRow {
        day: None,
        path: None,
        document_id: None,
        referrer: None,
        numbers,
    };
    let by_value = |(value, count): (String, Count)| {
        let mut row = empty(numbers(count));
        match wanted.by {
            Dimension::Day => row.day = Some(value),
            Dimension::Path => row.path = Some(value),
            Dimension::Document => row.document_id = value.parse().ok(),
            Dimension::Referrer => row.referrer = Some(value),
        }
        row
    };
    let by_day = |(day, count): (Date, Count)| ReportRow {
        day: Some(day.to_string()),
        ..empty(Numbers::of_a_day(count))
    };
    Report {
        from: wanted.from.to_string(),
        to: wanted.to.to_string(),
        total: numbers(total),
        rows: match wanted.by {
            Dimension::Day => counts.days.into_iter().map(by_day).collect(),
            _ => counts.values.into_iter().map(by_value).collect(),
        },
        others: counts.others.map(numbers),
        not_counted: counts.not_counted,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 3, 30);

    #[test]
    fn a_report_is_of_the_last_thirty_days_by_day_unless_told() {
        let wanted = parse("", TODAY).expect("no parameter is needed");
        let expected = Wanted {
            from: date(2026, 3, 1),
            to: TODAY,
            by: Dimension::Day,
            limit: 100,
        };
        assert_eq!(wanted, expected);
    }

    #[test]
    fn what_cannot_be_reported_is_refused_by_name() {
        for (query, name) in [
            ("from=2026-3-1", "from"),
            ("to=yesterday", "to"),
            ("from=2026-03-31", "from"),
            ("from=2016-01-01", "from"),
            ("by=visitor", "by"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("by=day&by=day", "by"),
            ("until=2026-03-01", "until"),
        ] {
            let refusal = parse(query, TODAY).expect_err(query).to_string();
            let begins = format!("the query parameter \"{name}\" ");
            assert!(refusal.starts_with(&begins), "{query}: {refusal}");
        }
    }
}

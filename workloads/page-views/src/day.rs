//! The day of a view: that of UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

/// Time after its beginning for which a day's salt is kept.
const SALT_KEPT: SignedDuration = SignedDuration::from_hours(48);
/// Time after a day's end in which a statement may still bring views of it: far longer than a request may
/// take, and than clocks of servers differ.
const SETTLED: SignedDuration = SignedDuration::from_hours(1);

/// The day that `now` is in.
pub(crate) fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// The first day whose salt is still needed at `now`.
pub(crate) fn first_with_salt(now: Timestamp) -> Date {
    let last_without = day(now - SALT_KEPT);
    last_without.tomorrow().unwrap_or(Date::MAX)
}

/// The first day that may get further views at `now`.
pub(crate) fn first_unsettled(now: Timestamp) -> Date {
    day(now - SETTLED)
}

/// The column `day` of `row`.
pub(crate) fn of_row(row: &PgRow) -> Result<Date, sqlx::Error> {
    Ok(row.try_get::<jiff_sqlx::Date, _>("day")?.to_jiff())
}

/// As Postgres takes them in an array.
pub(crate) fn array(days: impl IntoIterator<Item = Date>) -> Vec<jiff_sqlx::Date> {
    days.into_iter().map(|day| day.to_sqlx()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    #[test]
    fn a_salt_goes_forty_eight_hours_after_its_day_began() {
        for (now, first) in [
            ("2026-03-03T00:00:00Z", date(2026, 3, 2)),
            ("2026-03-02T23:59:59Z", date(2026, 3, 1)),
            ("2026-03-03T01:00:00+02:00", date(2026, 3, 1)),
        ] {
            assert_eq!(first_with_salt(at(now)), first, "{now}");
        }
    }

    #[test]
    fn a_day_may_get_views_until_an_hour_after_its_end() {
        for (now, first) in [
            ("2026-03-02T00:59:59Z", date(2026, 3, 1)),
            ("2026-03-02T01:00:00Z", date(2026, 3, 2)),
        ] {
            assert_eq!(first_unsettled(at(now)), first, "{now}");
        }
    }
}

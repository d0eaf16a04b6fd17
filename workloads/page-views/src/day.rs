//! The day of a view: that of UTC.

use time::{Date, Duration, OffsetDateTime};

/// Time after its beginning for which a day's salt is kept.
const SALT_KEPT: Duration = Duration::hours(48);
/// Time after a day's end in which a statement may still bring views of it: far longer than a request may
/// take, and than clocks of servers differ.
const SETTLED: Duration = Duration::hours(1);

/// The day that `now` is in.
pub(crate) fn day(now: OffsetDateTime) -> Date {
    now.to_offset(time::UtcOffset::UTC).date()
}

/// The first day whose salt is still needed at `now`.
pub(crate) fn first_with_salt(now: OffsetDateTime) -> Date {
    day(now - SALT_KEPT).next_day().unwrap_or(Date::MAX)
}

/// The first day that may get further views at `now`.
pub(crate) fn first_unsettled(now: OffsetDateTime) -> Date {
    day(now - SETTLED)
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn a_salt_goes_forty_eight_hours_after_its_day_began() {
        for (now, first) in [
            (datetime!(2026-03-03 00:00 UTC), date!(2026 - 03 - 02)),
            (datetime!(2026-03-02 23:59:59 UTC), date!(2026 - 03 - 01)),
            (datetime!(2026-03-03 01:00 +2), date!(2026 - 03 - 01)),
        ] {
            assert_eq!(first_with_salt(now), first, "{now}");
        }
    }

    #[test]
    fn a_day_may_get_views_until_an_hour_after_its_end() {
        for (now, first) in [
            (datetime!(2026-03-02 00:59:59 UTC), date!(2026 - 03 - 01)),
            (datetime!(2026-03-02 01:00 UTC), date!(2026 - 03 - 02)),
        ] {
            assert_eq!(first_unsettled(now), first, "{now}");
        }
    }
}

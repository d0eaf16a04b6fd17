//! Times as people say them: `4m25s`, `3d`.

use std::time::Duration;

use jiff::Timestamp;

/// The time between `then` and `now`, whichever is first.
pub(crate) fn between(then: Timestamp, now: Timestamp) -> String {
    spoken(now.duration_since(then).unsigned_abs())
}

/// As kubectl shows ages: two units while they are small.
pub(crate) fn spoken(time: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = time.as_secs();
    let two = |large: u64, unit, rest: u64, small| match rest {
        0 => format!("{large}{unit}"),
        rest => format!("{large}{unit}{rest}{small}"),
    };
    match seconds {
        ..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => two(seconds / MINUTE, "m", seconds % MINUTE, "s"),
        HOUR..DAY => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "m"),
        _ if seconds < 10 * DAY => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
        _ => format!("{}d", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_two_units_while_it_is_short() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (265, "4m25s"),
            (3_600, "1h"),
            (7_265, "2h1m"),
            (90_000, "1d1h"),
            (864_000, "10d"),
            (950_400, "11d"),
        ] {
            assert_eq!(spoken(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_time_to_come_is_as_long_as_one_that_passed() {
        let [a, b] = [0, 90].map(|second| Timestamp::from_second(second).expect("a time"));
        assert_eq!(between(a, b), "1m30s");
        assert_eq!(between(b, a), "1m30s");
    }
}

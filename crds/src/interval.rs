//! Times between two events, such as `30d`.

use std::time::Duration;

/// What the schema accepts: hours or days.
pub(crate) const PATTERN: &str = "^[1-9][0-9]{0,3}[hd]$";

/// The time that `text` stands for; `None` when it is none.
#[must_use]
pub fn interval(text: &str) -> Option<Duration> {
    let (number, hours) = match text.strip_suffix('d') {
        Some(number) => (number, 24),
        None => (text.strip_suffix('h')?, 1),
    };
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number * hours * 60 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_are_understood_and_nothing_else() {
        assert_eq!(interval("12h"), Some(Duration::from_secs(12 * 3600)));
        assert_eq!(interval("30d"), Some(Duration::from_secs(30 * 24 * 3600)));
        for wrong in ["", "d", "30", "30m", "x1d"] {
            assert_eq!(interval(wrong), None, "{wrong}");
        }
    }
}

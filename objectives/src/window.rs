//! Spans of time that end now.

use std::fmt;

/// A span of time that ends now, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(u32);

impl Window {
    /// As many minutes.
    #[must_use]
    pub const fn minutes(minutes: u32) -> Self {
        Self(minutes)
    }

    /// As many hours.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        Self(hours * 60)
    }

    /// As many days.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self::hours(days * 24)
    }

    /// How many times `other` is in it.
    #[must_use]
    pub fn over(self, other: Self) -> f64 {
        f64::from(self.0) / f64::from(other.0)
    }
}

impl fmt::Display for Window {
    /// As a Prometheus duration: `5m`, `6h`, `30d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            minutes if minutes % (24 * 60) == 0 => write!(f, "{}d", minutes / (24 * 60)),
            minutes if minutes % 60 == 0 => write!(f, "{}h", minutes / 60),
            minutes => write!(f, "{minutes}m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_written_in_its_largest_whole_unit() {
        let windows = [
            Window::minutes(5),
            Window::hours(6),
            Window::days(3),
            Window::hours(36),
        ];
        let texts = windows.map(|window| window.to_string());
        assert_eq!(texts, ["5m", "6h", "3d", "36h"]);
    }
}

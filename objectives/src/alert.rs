//! When somebody is to be told: the windows and burn rates of the Site Reliability Workbook.

use crate::Window;

/// How soon somebody is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Now.
    Page,
    /// Soon.
    Warning,
    /// In working hours.
    Ticket,
}

impl Severity {
    /// Value of the alert's label `severity`.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Warning => "warning",
            Self::Ticket => "ticket",
        }
    }
}

/// The budget burns too fast for as long as it does so over both windows: the long one says that it
/// matters, the short one that it still goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BurnAlert {
    pub(crate) severity: Severity,
    pub(crate) long: Window,
    pub(crate) short: Window,
    /// The share of the whole budget that is gone when the long window has passed at this rate.
    share: f64,
}

impl BurnAlert {
    /// The burn rate from which it fires, for an objective over `period`: 14.4, 6, 3 and 1 over 30
    /// days.
    pub(crate) fn rate(&self, period: Window) -> f64 {
        let rate = self.share * period.over(self.long);
        // Free of what binary fractions leave: it is printed.
        (rate * 1e6).round() / 1e6
    }
}

/// Table 5-8 of the workbook, "Recommended parameters for an SLO-based alerting configuration", with
/// the second ticket's row split off the first as Sloth has it.
pub(crate) const BURN_ALERTS: [BurnAlert; 4] = [
    BurnAlert {
        severity: Severity::Page,
        long: Window::hours(1),
        short: Window::minutes(5),
        share: 0.02,
    },
    BurnAlert {
        severity: Severity::Page,
        long: Window::hours(6),
        short: Window::minutes(30),
        share: 0.05,
    },
    BurnAlert {
        severity: Severity::Ticket,
        long: Window::days(1),
        short: Window::hours(2),
        share: 0.1,
    },
    BurnAlert {
        severity: Severity::Ticket,
        long: Window::days(3),
        short: Window::hours(6),
        share: 0.1,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_thirty_days_the_rates_are_those_of_the_workbook() {
        let rates = BURN_ALERTS.map(|alert| alert.rate(Window::days(30)));
        assert_eq!(rates, [14.4, 6.0, 3.0, 1.0]);
    }

    #[test]
    fn a_week_has_less_budget_to_burn() {
        let rates = BURN_ALERTS.map(|alert| alert.rate(Window::days(7)));
        assert_eq!(rates, [3.36, 1.4, 0.7, 0.233_333]);
    }
}

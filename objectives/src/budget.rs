//! What counted requests mean for a target.

use crate::{Target, Window};

/// Requests of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Requests {
    /// Those that the indicator is about.
    pub total: f64,
    /// The bad ones of them.
    pub bad: f64,
}

impl Requests {
    /// The share of bad ones; none without traffic.
    #[must_use]
    pub fn bad_ratio(self) -> Option<f64> {
        // Half a request is what extrapolation leaves of none.
        (self.total >= 0.5).then(|| (self.bad / self.total).clamp(0.0, 1.0))
    }

    /// How many times faster than evenly over the objective's window the budget is used up; 1 uses it
    /// up exactly. None without traffic.
    #[must_use]
    pub fn burn_rate(self, target: Target) -> Option<f64> {
        Some(self.bad_ratio()? / target.budget())
    }
}

/// How fast the budget was used up over a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burn {
    /// The window.
    pub window: Window,
    /// 1 uses the budget up exactly; none without traffic.
    pub rate: Option<f64>,
}

/// What was observed of an objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Over the objective's own window, the share of good requests; none without traffic.
    pub observed: Option<f64>,
    /// The share of the budget that is left, below 0 where more than all was used; none without
    /// traffic.
    pub budget_remaining: Option<f64>,
    /// Shorter windows, the shortest first.
    pub burns: Vec<Burn>,
}

impl Observation {
    /// What `period`, the requests of the objective's own window, and those of shorter windows mean.
    #[must_use]
    pub fn of(target: Target, period: Requests, shorter: &[(Window, Requests)]) -> Self {
        Self {
            observed: period.bad_ratio().map(|bad| 1.0 - bad),
            budget_remaining: period.burn_rate(target).map(|burnt| 1.0 - burnt),
            burns: shorter
                .iter()
                .map(|(window, requests)| Burn {
                    window: *window,
                    rate: requests.burn_rate(target),
                })
                .collect(),
        }
    }

    /// Percent of good requests, to a thousandth: `99.95`. Rounded down, so that a target that is
    /// missed never looks met.
    #[must_use]
    pub fn observed_percent(&self) -> Option<String> {
        let thousandths = (self.observed? * 100_000.0 + 1e-6).floor() / 1000.0;
        Some(thousandths.to_string())
    }

    /// Percent of the budget that is left, in whole ones: `50`, `-120`; at least -1000.
    #[must_use]
    pub fn budget_percent(&self) -> Option<String> {
        let percent = (self.budget_remaining? * 100.0 + 1e-6).floor().max(-1000.0);
        // Not minus zero.
        Some((percent + 0.0).to_string())
    }
}

impl Burn {
    /// In steps that grow with it, so that a steady one reads the same: tenths below 10, ones above.
    #[must_use]
    pub fn quantised(&self) -> Option<String> {
        let rate = self.rate?;
        let rounded = match rate {
            slow if slow < 10.0 => (slow * 10.0).round() / 10.0,
            fast => fast.round(),
        };
        Some(rounded.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn target(text: &str) -> Target {
        text.parse().expect(text)
    }

    fn requests(total: f64, bad: f64) -> Requests {
        Requests { total, bad }
    }

    #[test]
    fn half_of_the_budget_is_left_when_half_of_what_may_fail_failed() {
        let observation = Observation::of(
            target("99.9"),
            requests(1_000_000.0, 500.0),
            &[(Window::hours(1), requests(10_000.0, 144.0))],
        );
        assert_eq!(observation.observed_percent().as_deref(), Some("99.95"));
        assert_eq!(observation.budget_percent().as_deref(), Some("50"));
        assert_eq!(observation.burns[0].quantised().as_deref(), Some("14"));
    }

    #[test]
    fn more_than_the_budget_leaves_less_than_nothing() {
        let observation = Observation::of(target("99"), requests(1000.0, 25.0), &[]);
        assert_eq!(observation.observed_percent().as_deref(), Some("97.5"));
        assert_eq!(observation.budget_percent().as_deref(), Some("-150"));
    }

    #[test]
    fn without_traffic_nothing_is_said() {
        let observation = Observation::of(
            target("99"),
            requests(0.0, 0.0),
            &[(Window::minutes(5), requests(0.2, 0.0))],
        );
        assert_eq!(observation.observed_percent(), None);
        assert_eq!(observation.budget_percent(), None);
        assert_eq!(observation.burns[0].quantised(), None);
    }

    #[test]
    fn a_target_that_is_missed_by_a_hair_does_not_look_met() {
        let observation = Observation::of(target("99.9"), requests(1e7, 10_001.0), &[]);
        assert_eq!(observation.observed_percent().as_deref(), Some("99.899"));
        assert_eq!(observation.budget_percent().as_deref(), Some("-1"));
        let exact = Observation::of(target("99.9"), requests(1e7, 10_000.0), &[]);
        assert_eq!(exact.observed_percent().as_deref(), Some("99.9"));
        assert_eq!(exact.budget_percent().as_deref(), Some("0"));
    }

    proptest! {
        #[test]
        fn the_budget_is_gone_exactly_when_the_target_is_missed(
            thousandths in 1_u32..99_999, total in 1.0..1e9_f64, share in 0.0..1.0_f64,
        ) {
            let target = target(&format!("{}.{:03}", thousandths / 1000, thousandths % 1000));
            let observation = Observation::of(target, requests(total, total * share), &[]);
            let left = observation.budget_remaining.expect("traffic");
            let observed = observation.observed.expect("traffic");
            prop_assert!((observed - target.ratio()).abs() < 1e-9 || (left < 0.0) == (observed < target.ratio()));
        }

        #[test]
        fn what_extrapolation_adds_makes_no_share_above_one(total in 0.5..1e9_f64, bad in 0.0..2e9_f64) {
            let ratio = requests(total, bad).bad_ratio().expect("traffic");
            prop_assert!((0.0..=1.0).contains(&ratio));
        }
    }
}

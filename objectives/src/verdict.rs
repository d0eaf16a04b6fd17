//! Whether a tenant's objectives are met.

use crate::alert::{BURN_ALERTS, Severity};
use crate::{Objective, Observation};

/// Whether a tenant's objectives are met, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that had traffic are, and none of them burns its budget fast enough for a page.
    Met,
    /// These have no budget left.
    BudgetExhausted(Vec<String>),
    /// These burn it fast enough for a page.
    FastBurn(Vec<String>),
    /// None had traffic.
    NoTraffic,
}

/// Judges what was observed; a budget that is gone is the worse of two.
#[must_use]
pub fn verdict(observed: &[(Objective, Observation)]) -> Verdict {
    let names = |bad: fn(&Objective, &Observation) -> bool| -> Vec<String> {
        let bad = observed.iter().filter(|(objective, it)| bad(objective, it));
        bad.map(|(objective, _)| objective.name.clone()).collect()
    };
    let exhausted = names(|_, it| it.budget_remaining.is_some_and(|left| left <= 0.0));
    if !exhausted.is_empty() {
        return Verdict::BudgetExhausted(exhausted);
    }
    let fast = names(burns_fast);
    if !fast.is_empty() {
        return Verdict::FastBurn(fast);
    }
    match observed.iter().any(|(_, it)| it.observed.is_some()) {
        true => Verdict::Met,
        false => Verdict::NoTraffic,
    }
}

/// Over the long window of an alert that pages, and still so over the shortest that was observed.
fn burns_fast(objective: &Objective, observation: &Observation) -> bool {
    let rate_over = |window| {
        let burn = observation.burns.iter().find(|burn| burn.window == window);
        burn.and_then(|burn| burn.rate)
    };
    let now = observation.burns.first().and_then(|burn| burn.rate);
    BURN_ALERTS.iter().any(|alert| {
        let limit = alert.rate(objective.window);
        alert.severity == Severity::Page
            && rate_over(alert.long).is_some_and(|rate| rate > limit)
            && now.is_some_and(|rate| rate > limit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Indicator, Requests, Window};

    fn observed(
        name: &str,
        period: (f64, f64),
        shorter: &[(Window, f64)],
    ) -> (Objective, Observation) {
        let objective = Objective {
            namespace: "acme".into(),
            tenant: "acme".into(),
            name: name.into(),
            target: "99".parse().expect("a target"),
            workload: None,
            indicator: Indicator::Availability,
            window: Window::days(30),
        };
        let (total, bad) = period;
        let shorter: Vec<(Window, Requests)> = shorter
            .iter()
            .map(|(window, bad)| {
                (
                    *window,
                    Requests {
                        total: 100.0,
                        bad: *bad,
                    },
                )
            })
            .collect();
        let observation = Observation::of(objective.target, Requests { total, bad }, &shorter);
        (objective, observation)
    }

    const NOW: Window = Window::minutes(5);
    const HOUR: Window = Window::hours(1);
    const QUARTER: Window = Window::hours(6);

    #[test]
    fn one_objective_without_a_budget_is_enough() {
        let observed = [
            observed("a", (1e6, 9e3), &[]),
            observed("b", (1e6, 1e4), &[]),
        ];
        assert_eq!(
            verdict(&observed),
            Verdict::BudgetExhausted(vec!["b".into()])
        );
    }

    #[test]
    fn a_burn_is_fast_while_both_windows_say_so() {
        let of = |shorter: &[(Window, f64)]| verdict(&[observed("a", (1e6, 10.0), shorter)]);
        let fast = Verdict::FastBurn(vec!["a".into()]);
        assert_eq!(of(&[(NOW, 15.0), (HOUR, 15.0)]), fast);
        assert_eq!(of(&[(NOW, 7.0), (HOUR, 7.0), (QUARTER, 7.0)]), fast);
        assert_eq!(of(&[(NOW, 0.0), (HOUR, 15.0)]), Verdict::Met, "it is over");
        assert_eq!(
            of(&[(NOW, 15.0), (HOUR, 10.0)]),
            Verdict::Met,
            "it has just begun"
        );
        assert_eq!(of(&[(NOW, 5.0), (HOUR, 5.0), (QUARTER, 5.0)]), Verdict::Met);
    }

    #[test]
    fn without_traffic_nobody_knows() {
        assert_eq!(
            verdict(&[observed("a", (0.0, 0.0), &[])]),
            Verdict::NoTraffic
        );
        let one = [
            observed("a", (0.0, 0.0), &[]),
            observed("b", (10.0, 0.0), &[]),
        ];
        assert_eq!(verdict(&one), Verdict::Met);
    }
}

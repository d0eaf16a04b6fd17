//! What the status of the tenant says, from what the operator asks for.

use docket_objectives::{Answer, Detail, Objective, Observation, Verdict, Window, query, verdict};

use crate::prometheus::Prometheus;
use crate::table::{NONE, Row};

const SHORTER: [Window; 4] = [
    Window::minutes(5),
    Window::hours(1),
    Window::hours(6),
    Window::days(3),
];

/// What the status says of `objective`.
pub fn row(objective: &Objective, prometheus: &Prometheus) -> Row {
    let detail = Detail::of(std::slice::from_ref(objective));
    let requests = |window| {
        let answer = prometheus.ask(&query(window, &[], &detail));
        Answer::of(answer).requests(objective)
    };
    let shorter = SHORTER.map(|window| (window, requests(window)));
    let observation = Observation::of(objective.target, requests(objective.window), &shorter);
    let said = |text: Option<String>| text.unwrap_or_else(|| NONE.into());
    let verdict = verdict(&[(objective.clone(), observation.clone())]);
    Row {
        name: "Docket's status",
        observed: said(observation.observed_percent()),
        burns: std::array::from_fn(|at| said(observation.burns[at].quantised())),
        budget: said(observation.budget_percent()),
        says: match verdict {
            Verdict::Met => "True, WithinBudget",
            Verdict::BudgetExhausted(_) => "False, BudgetExhausted",
            Verdict::FastBurn(_) => "False, FastBurn",
            Verdict::NoTraffic => "Unknown, NoTraffic",
        }
        .into(),
    }
}

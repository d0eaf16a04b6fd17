//! Docket's own rules.

use docket_objectives::{Links, Objective, Rule, objective_rules};

use crate::contender::{Alert, Contender, Recorded, inlined};

/// What the rules of `objective` compute.
pub fn of(objective: &Objective) -> Contender {
    let groups = objective_rules(std::slice::from_ref(objective), &Links::default());
    let rules: Vec<Rule> = groups.into_iter().flat_map(|group| group.rules).collect();
    let recorded: Vec<Recorded> = rules.iter().filter_map(recorded).collect();
    let alerts = rules.iter().filter_map(|rule| alert(rule, &recorded));
    let alerts = alerts.collect();
    Contender::recording("Docket's rules", objective, &recorded, alerts)
}

fn recorded(rule: &Rule) -> Option<Recorded> {
    Some(Recorded {
        name: rule.record.clone()?,
        expr: rule.expr.clone(),
        labels: rule.labels.clone().into_iter().collect(),
    })
}

fn alert(rule: &Rule, recorded: &[Recorded]) -> Option<Alert> {
    rule.alert.as_ref()?;
    assert_eq!(
        rule.lasting, None,
        "it would have to be asked for otherwise"
    );
    Some(Alert {
        name: format!("{} {}", rule.labels["severity"], rule.labels["window"]),
        expr: inlined(&rule.expr, recorded),
        lasting: 0,
    })
}

use std::sync::Arc;

use docket_objectives::{Requests, Window};
use serde_json::json;

use super::*;

fn tenant(objectives: serde_json::Value) -> Identified<DocumentTenant> {
    let tenant = serde_json::from_value::<DocumentTenant>(json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
        "metadata": {"name": "acme", "namespace": "acme", "uid": "u"},
        "spec": {"clients": [], "database": {"secretRef": {"name": "d"}}, "objectives": objectives,
            "workloads": {"documents": {"storage": {"s3": {"bucket": "b", "endpoint": "http://s", "secretRef": {"name": "s"}}}}}},
        "status": {"errorBudgetRemaining": "12",
            "objectives": [{"name": "availability", "target": "99.9", "observed": "99.95"}]},
    }));
    Identified::new(Arc::new(tenant.expect("a tenant"))).expect("it has an identity")
}

fn observed(bad: f64, lately: f64) -> ObjectivesStatus {
    let tenant = tenant(json!([
        {"name": "availability", "target": "99.9"},
        {"name": "latency", "target": "99", "threshold": "300ms", "window": "7d"},
    ]));
    let observed: Vec<_> = objectives_of(&tenant)
        .into_iter()
        .map(|objective| {
            let period = Requests { total: 1e6, bad };
            let shorter = [Window::minutes(5), Window::hours(1)].map(|window| {
                let requests = Requests {
                    total: 1000.0,
                    bad: lately,
                };
                (window, requests)
            });
            let observation = Observation::of(objective.target, period, &shorter);
            (objective, observation)
        })
        .collect();
    of_observed(&observed)
}

fn reason(wanted: &ObjectivesStatus) -> (ConditionStatus, &str) {
    let finding = wanted.finding.as_ref().expect("a finding");
    (finding.status, &finding.reason)
}

#[test]
fn what_is_left_of_the_budget_is_that_of_the_objective_that_has_the_least() {
    let wanted = observed(500.0, 0.0);
    assert_eq!(reason(&wanted), (ConditionStatus::True, "WithinBudget"));
    assert_eq!(wanted.error_budget_remaining.as_deref(), Some("50"));
    insta::assert_json_snapshot!(wanted.objectives);
}

#[test]
fn a_budget_that_is_gone_and_one_that_burns_are_named() {
    let exhausted = observed(1001.0, 0.0);
    assert_eq!(
        reason(&exhausted),
        (ConditionStatus::False, "BudgetExhausted")
    );
    let message = |wanted: &ObjectivesStatus| {
        wanted
            .finding
            .clone()
            .map(|it| it.message)
            .unwrap_or_default()
    };
    assert!(message(&exhausted).contains("of availability is"));
    let fast = observed(0.0, 200.0);
    assert_eq!(reason(&fast), (ConditionStatus::False, "FastBurn"));
    assert!(message(&fast).contains("of availability, latency is"));
}

#[test]
fn without_a_source_nothing_is_said_but_that() {
    let tenant = tenant(json!([{"name": "availability", "target": "99.9"}]));
    let wanted = of(&tenant, Err(&Unknown::NoSource));
    assert_eq!(
        reason(&wanted),
        (ConditionStatus::Unknown, "NoMetricsSource")
    );
    assert_eq!(
        (wanted.objectives.len(), wanted.error_budget_remaining),
        (0, None)
    );
}

#[test]
fn while_the_source_is_gone_the_last_numbers_stay() {
    let tenant = tenant(json!([{"name": "availability", "target": "99.9"}]));
    let wanted = of(&tenant, Err(&Unknown::Unavailable("no route".into())));
    assert_eq!(
        reason(&wanted),
        (ConditionStatus::Unknown, "MetricsUnavailable")
    );
    assert_eq!(wanted.objectives[0].observed.as_deref(), Some("99.95"));
    assert_eq!(wanted.error_budget_remaining.as_deref(), Some("12"));
}

#[test]
fn a_tenant_that_promises_nothing_has_nothing_on_its_status() {
    assert_eq!(
        of(&tenant(json!([])), Err(&Unknown::NoSource)),
        ObjectivesStatus::default()
    );
}

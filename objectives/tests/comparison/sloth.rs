//! The rules that Sloth generates from `sloth-spec.yaml`: `make compare-objectives` does it anew.

use docket_objectives::Objective;
use serde_json::Value;

use crate::contender::{Alert, Contender, Recorded, inlined};

const GENERATED: &str = include_str!("sloth.yaml");

/// What the rules of `objective` compute.
pub fn of(objective: &Objective) -> Contender {
    let file: Value = serde_saphyr::from_str(GENERATED).expect("YAML");
    let rules: Vec<&Value> = file["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .filter(|group| text(group, "name").ends_with(&format!("-{}", objective.name)))
        .flat_map(|group| group["rules"].as_array().expect("rules"))
        .collect();
    let tenant = &objective.tenant;
    let recorded: Vec<Recorded> = rules
        .iter()
        .filter_map(|rule| recorded(rule, tenant))
        .collect();
    let alerts = rules.iter().filter_map(|rule| alert(rule, &recorded));
    let alerts = alerts.collect();
    Contender::recording("Sloth", objective, &recorded, alerts)
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_default()
}

/// The same of another tenant.
fn recorded(rule: &Value, tenant: &str) -> Option<Recorded> {
    let labels = rule["labels"].as_object()?.iter();
    let owned = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let of_tenant = format!("docket_tenant=\"{tenant}\"");
    Some(Recorded {
        name: rule["record"].as_str()?.to_owned(),
        expr: text(rule, "expr").replace("docket_tenant=\"acme\"", &of_tenant),
        labels: labels
            .map(|(name, value)| (name.clone(), owned(value)))
            .collect(),
    })
}

fn alert(rule: &Value, recorded: &[Recorded]) -> Option<Alert> {
    rule["alert"].as_str()?;
    assert!(
        rule["for"].is_null(),
        "it would have to be asked for otherwise"
    );
    Some(Alert {
        name: text(&rule["labels"], "severity").to_owned(),
        expr: inlined(text(rule, "expr"), recorded),
        lasting: 0,
    })
}

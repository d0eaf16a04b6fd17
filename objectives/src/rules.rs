//! The rules that a Prometheus evaluates for a tenant's objectives.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::alert::BURN_ALERTS;
use crate::links::{Dashboard, Links};
use crate::promql::{Count, NAMESPACE, TENANT, WORKLOAD};
use crate::{Indicator, Objective, Window};

/// Label by which the objectives of a tenant are told apart.
const OBJECTIVE: &str = "objective";

/// Name of the alerts.
const BURN: &str = "DocketErrorBudgetBurn";

/// How often the shares of short windows are computed.
const INTERVAL: &str = "30s";

/// Windows whose shares of bad requests are recorded.
const WINDOWS: [Window; 7] = [
    Window::minutes(5),
    Window::minutes(30),
    Window::hours(1),
    Window::hours(2),
    Window::hours(6),
    Window::days(1),
    Window::days(3),
];

/// The step in which requests of the whole window are added up.
const STEP: Window = Window::minutes(5);

/// Rules that are evaluated one after the other; the shape of a group in a Prometheus rules file and in
/// a PrometheusRule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name, unique in a file.
    pub name: String,
    /// How often it is evaluated.
    pub interval: String,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// A series that is recorded, or an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Name of the series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Name of the alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// PromQL.
    pub expr: String,
    /// For how long it must have been so before the alert fires.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasting: Option<String>,
    /// Labels that it adds.
    pub labels: BTreeMap<String, String>,
    /// What people read of an alert.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The rules for objectives: two groups for each. Alerts carry `links`. Names of recorded series are those of Sloth, so that its dashboards show them.
#[must_use]
pub fn objective_rules(objectives: &[Objective], links: &Links) -> Vec<Group> {
    objectives
        .iter()
        .flat_map(|objective| {
            let group = |what, rules| Group {
                name: format!(
                    "docket-{what}-{}-{}-{}",
                    objective.namespace, objective.tenant, objective.name
                ),
                interval: INTERVAL.into(),
                rules,
            };
            [
                group("objective", recorded(objective)),
                group("burn", alerts(objective, links)),
            ]
        })
        .collect()
}

fn recorded(objective: &Objective) -> Vec<Rule> {
    let labels = labels(objective);
    let selector = selector(objective);
    let record = |name: String, expr: String| Rule {
        record: Some(name),
        expr,
        labels: labels.clone(),
        ..Rule::default()
    };
    let of_pods = pods(objective);
    let count = |function, window| Count {
        function,
        selector: &of_pods,
        workload: objective.workload.as_deref(),
        by: &[],
        window,
    };
    let indicator = objective.indicator;
    let mut rules: Vec<Rule> = WINDOWS
        .into_iter()
        .map(|window| {
            let count = count("rate", window);
            let (bad, total) = (count.bad(indicator), count.total(indicator));
            record(ratio(window), format!("{bad} / ({total} > 0)"))
        })
        .collect();
    let step = count("increase", STEP);
    let (requests, bad) = (
        "docket:objective_requests:increase5m",
        "docket:objective_bad_requests:increase5m",
    );
    rules.push(record(requests.into(), step.total(indicator)));
    rules.push(record(bad.into(), step.bad(indicator)));
    let period = objective.window;
    let added = |series| format!("sum_over_time({series}{{{selector}}}[{period}:{STEP}])");
    // By requests, not by time: a night with three requests weighs as much as three requests.
    let of_period = format!("{} / ({} > 0)", added(bad), added(requests));
    rules.push(record(ratio(period), of_period));
    let (target, budget) = (objective.target.ratio(), budget(objective));
    rules.push(record(
        "slo:objective:ratio".into(),
        format!("vector({target})"),
    ));
    rules.push(record(
        "slo:error_budget:ratio".into(),
        format!("vector({budget})"),
    ));
    let burn = |window| format!("{}{{{selector}}} / {budget}", ratio(window));
    rules.push(record(
        "slo:current_burn_rate:ratio".into(),
        burn(WINDOWS[0]),
    ));
    rules.push(record("slo:period_burn_rate:ratio".into(), burn(period)));
    rules.push(record(
        "slo:period_error_budget_remaining:ratio".into(),
        format!("1 - slo:period_burn_rate:ratio{{{selector}}}"),
    ));
    rules
}

fn alerts(objective: &Objective, links: &Links) -> Vec<Rule> {
    let selector = selector(objective);
    let budget = budget(objective);
    let Objective {
        tenant,
        namespace,
        name,
        target,
        workload,
        window,
        ..
    } = objective;
    let of_one = workload.as_ref().map(|it| format!(" to {it}"));
    let requests = format!("{target} % of requests{}", of_one.unwrap_or_default());
    let promise = match objective.indicator {
        Indicator::Availability => format!("{requests} are answered without a 5xx"),
        Indicator::Latency { threshold } => {
            format!("{requests} are answered within {threshold} ms")
        }
    };
    let alert = |alert: crate::alert::BurnAlert| {
        let rate = alert.rate(objective.window);
        let burns = |window| format!("{}{{{selector}}} > {rate} * {budget}", ratio(window));
        let mut labels = labels(objective);
        labels.insert("tenant".into(), tenant.clone());
        labels.insert("severity".into(), alert.severity.label().into());
        labels.insert("window".into(), alert.long.to_string());
        let summary = format!(
            "{tenant} in {namespace} uses up the error budget of {name} {rate} times too fast"
        );
        let description = format!(
            "The objective is that {promise}, over {window}. Over the last {} and the last {} more \
             than {rate} times the bad requests that it allows were seen; {{{{ $value | \
             humanizePercentage }}}} of all over the longer.",
            alert.long, alert.short
        );
        Rule {
            alert: Some(BURN.into()),
            expr: format!("{} and {}", burns(alert.long), burns(alert.short)),
            labels,
            annotations: [
                ("summary".into(), summary),
                ("description".into(), description),
            ]
            .into_iter()
            .chain(links.of(BURN, Dashboard::Objectives))
            .collect(),
            ..Rule::default()
        }
    };
    BURN_ALERTS.map(alert).into()
}

/// Name of the series with the share of bad requests over `window`.
fn ratio(window: Window) -> String {
    format!("slo:sli_error:ratio_rate{window}")
}

fn labels(objective: &Objective) -> BTreeMap<String, String> {
    let of_all = [
        (NAMESPACE, &objective.namespace),
        (TENANT, &objective.tenant),
        (OBJECTIVE, &objective.name),
    ];
    let workload = objective.workload.iter().map(|it| (WORKLOAD, it));
    let labels = of_all.into_iter().chain(workload);
    labels
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

/// The budget as it is printed: free of what binary fractions leave.
fn budget(objective: &Objective) -> f64 {
    (objective.target.budget() * 1e5).round() / 1e5
}

/// Matchers of the series that the pods of a tenant show.
fn pods(objective: &Objective) -> String {
    let (namespace, tenant) = (&objective.namespace, &objective.tenant);
    format!("{NAMESPACE}=\"{namespace}\",{TENANT}=\"{tenant}\"")
}

/// Matchers of the series that are recorded for an objective.
fn selector(objective: &Objective) -> String {
    format!("{},{OBJECTIVE}=\"{}\"", pods(objective), objective.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective(name: &str, target: &str, indicator: Indicator) -> Objective {
        Objective {
            namespace: "acme".into(),
            tenant: "acme".into(),
            name: name.into(),
            target: target.parse().expect(target),
            workload: None,
            indicator,
            window: Window::days(30),
        }
    }

    #[test]
    fn the_rules_of_a_workload_are_those_of_all_about_its_routes_and_say_so() {
        let of_all = objective("availability", "99.9", Indicator::Availability);
        let of_one = Objective {
            workload: Some("documents".into()),
            ..of_all.clone()
        };
        let rules = |objective: &Objective| -> Vec<Rule> {
            let groups = objective_rules(std::slice::from_ref(objective), &Links::default());
            groups.into_iter().flat_map(|group| group.rules).collect()
        };
        let text = |rules: Vec<Rule>| serde_json::to_string(&rules).expect("texts serialize");
        let named = rules(&of_one);
        let of_documents = |rule: &Rule| {
            rule.labels
                .get(WORKLOAD)
                .is_some_and(|it| it == "documents")
        };
        assert!(named.iter().all(of_documents));
        let mut counts = named
            .iter()
            .filter(|rule| rule.expr.contains("http_requests_total"));
        assert!(counts.all(|rule| rule.expr.contains(r#"docket_workload="documents""#)));
        let unnamed = named.into_iter().map(|mut rule| {
            rule.labels.remove(WORKLOAD);
            rule.expr = rule.expr.replace(
                r#"docket_workload="documents""#,
                r#"docket_workload!~"none|""#,
            );
            for text in rule.annotations.values_mut() {
                *text = text.replace(" to documents are", " are");
            }
            rule
        });
        assert_eq!(text(unnamed.collect()), text(rules(&of_all)));
    }

    #[test]
    fn the_rules_of_two_objectives() {
        let objectives = [
            objective("availability", "99.9", Indicator::Availability),
            objective("latency", "99", Indicator::Latency { threshold: 300 }),
        ];
        let links = Links {
            runbooks: Some("https://docket.test/runbooks".into()),
            dashboards: Some("https://grafana.test/".into()),
        };
        insta::assert_yaml_snapshot!(objective_rules(&objectives, &links));
    }
}

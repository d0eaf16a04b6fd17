//! Series whose shares and burn rates are easy to compute by hand.

use docket_objectives::{Indicator, Links, Objective, Window, objective_rules};
use serde_json::{Value, json};

use crate::tool::{RULES, promtool};

fn objectives() -> [Objective; 4] {
    let objective = |name: &str, target: &str, workload: Option<&str>, indicator| Objective {
        namespace: "acme".into(),
        tenant: "acme".into(),
        name: name.into(),
        target: target.parse().expect(target),
        workload: workload.map(Into::into),
        indicator,
        window: Window::days(30),
    };
    let late = Indicator::Latency { threshold: 300 };
    let of_orders = Some("orders");
    [
        objective("availability", "99.9", None, Indicator::Availability),
        objective("latency", "99", None, late),
        objective("ordered", "99.9", of_orders, Indicator::Availability),
        objective("ordered-soon", "99", of_orders, late),
    ]
}

pub fn rules() -> Value {
    json!({"groups": objective_rules(&objectives(), &Links::default())})
}

/// A series of one scrape a minute of a pod of the tenant, of requests for documents.
fn series(metric: &str, labels: &str, values: &str) -> Value {
    series_of("documents", metric, labels, values)
}

fn series_of(workload: &str, metric: &str, labels: &str, values: &str) -> Value {
    let of_pod = r#"namespace="acme",docket_tenant="acme",method="GET",path="/clients/{client}/things/{id}""#;
    let series = format!("{metric}{{{of_pod},docket_workload=\"{workload}\",{labels}}}");
    json!({"series": series, "values": values})
}

fn requests(pod: &str, status: u16, values: &str) -> Value {
    let labels = format!("pod=\"{pod}\",status=\"{status}\"");
    series("http_requests_total", &labels, values)
}

/// The series `name` of an objective is `value` at `time`; none when there is no value.
fn is(name: &str, objective: &str, time: &str, value: Option<f64>) -> Value {
    let selector = format!(r#"{{namespace="acme",docket_tenant="acme",objective="{objective}"}}"#);
    let samples: Vec<Value> = value
        .iter()
        .map(|value| json!({"labels": "{}", "value": (value * 1e5).round()}))
        .collect();
    // In whole numbers: free of what binary fractions leave.
    let expr = format!("sum(round(1e5 * {name}{selector}))");
    json!({"expr": expr, "eval_time": time, "exp_samples": samples})
}

fn test(name: &str, series: Vec<Value>, expected: Vec<Value>) {
    let tests = json!({
        "rule_files": [RULES],
        "evaluation_interval": "1m",
        "tests": [{
            "name": name,
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": expected,
        }],
    });
    promtool(
        &["test", "rules", "test.yaml"],
        &[(RULES, &rules()), ("test.yaml", &tests)],
    );
}

/// Which burn alerts of the availability fire at `time`: their severities and long windows.
fn firing(time: &str, expected: &[(&str, &str)]) -> Value {
    let samples: Vec<Value> = expected
        .iter()
        .map(|(severity, window)| {
            json!({"labels": format!(r#"{{severity="{severity}", window="{window}"}}"#), "value": 1})
        })
        .collect();
    let alerts = r#"ALERTS{alertname="DocketErrorBudgetBurn",objective="availability"}"#;
    let expr = format!("sum by (severity, window) ({alerts})");
    json!({"expr": expr, "eval_time": time, "exp_samples": samples})
}

#[test]
fn prometheus_takes_the_rules() {
    promtool(&["check", "rules", RULES], &[(RULES, &rules())]);
}

#[test]
fn one_of_a_hundred_fails_over_all_pods_together() {
    // Of 99.9 %, one in a hundred is ten times what the budget allows.
    let series = vec![
        requests("a", 200, "0+90x400"),
        requests("b", 201, "0+9x400"),
        requests("b", 503, "0+1x400"),
        requests("b", 404, "0+0x400"),
    ];
    let expected = ["5m", "30m", "1h", "2h", "6h", "30d"]
        .map(|window| {
            let name = format!("slo:sli_error:ratio_rate{window}");
            is(&name, "availability", "6h", Some(0.01))
        })
        .into_iter()
        .chain([
            is(
                "slo:current_burn_rate:ratio",
                "availability",
                "6h",
                Some(10.0),
            ),
            is(
                "slo:period_error_budget_remaining:ratio",
                "availability",
                "6h",
                Some(-9.0),
            ),
            is("slo:objective:ratio", "availability", "6h", Some(0.999)),
        ])
        .collect();
    test("share", series, expected);
}

#[test]
fn a_status_that_never_occurred_is_no_failure() {
    let series = vec![requests("a", 200, "0+60x90")];
    let expected = vec![
        is(
            "slo:sli_error:ratio_rate5m",
            "availability",
            "1h",
            Some(0.0),
        ),
        is(
            "slo:period_error_budget_remaining:ratio",
            "availability",
            "1h",
            Some(1.0),
        ),
    ];
    test("none failed", series, expected);
}

#[test]
fn without_traffic_there_is_no_share() {
    let series = vec![requests("a", 200, "7+0x90"), requests("a", 500, "7+0x90")];
    let expected = vec![
        is("slo:sli_error:ratio_rate5m", "availability", "1h", None),
        is(
            "slo:period_error_budget_remaining:ratio",
            "availability",
            "1h",
            None,
        ),
    ];
    test("no traffic", series, expected);
}

#[test]
fn probes_are_no_traffic() {
    let of_probe = r#"http_requests_total{namespace="acme",docket_tenant="acme",docket_workload="none",path="/readyz",status="503"}"#;
    let series = vec![
        requests("a", 200, "0+60x90"),
        json!({"series": of_probe, "values": "0+60x90"}),
    ];
    let expected = vec![is(
        "slo:sli_error:ratio_rate5m",
        "availability",
        "1h",
        Some(0.0),
    )];
    test("probes", series, expected);
}

#[test]
fn an_objective_of_a_workload_counts_its_routes_and_one_without_those_of_all() {
    let answered = |workload, status: u16, values: &str| {
        let labels = format!("pod=\"a\",status=\"{status}\"");
        series_of(workload, "http_requests_total", &labels, values)
    };
    let within = |workload, bound: &str, values: &str| {
        let labels = format!("pod=\"a\",status=\"200\",le=\"{bound}\"");
        series_of(
            workload,
            "http_request_duration_seconds_bucket",
            &labels,
            values,
        )
    };
    let series = vec![
        answered("documents", 200, "0+900x90"),
        answered("platform", 200, "0+10x90"),
        answered("orders", 200, "0+80x90"),
        answered("orders", 503, "0+10x90"),
        within("documents", "0.3", "0+900x90"),
        within("platform", "0.3", "0+10x90"),
        within("orders", "0.3", "0+60x90"),
    ];
    let share = "slo:sli_error:ratio_rate1h";
    let expected = vec![
        is(share, "availability", "1h", Some(0.01)),
        is(share, "ordered", "1h", Some(0.11111)),
        is(share, "latency", "1h", Some(0.0202)),
        is(share, "ordered-soon", "1h", Some(0.25)),
    ];
    test("workload", series, expected);
}

#[test]
fn a_pod_that_starts_again_takes_nothing_back() {
    let series = vec![
        requests("a", 200, "0+90x29 0+90x30"),
        requests("a", 500, "0+10x29 0+10x30"),
    ];
    let expected = ["5m", "30m", "1h"]
        .map(|window| {
            let name = format!("slo:sli_error:ratio_rate{window}");
            is(&name, "availability", "35m", Some(0.1))
        })
        .into();
    test("reset", series, expected);
}

#[test]
fn a_tenant_of_an_hour_is_judged_by_its_hour() {
    // Half of a thousandth: half of the budget of what was asked so far.
    let series = vec![
        requests("a", 200, "_x600 0+1999x60"),
        requests("a", 500, "_x600 0+1x60"),
    ];
    let expected = vec![
        is(
            "slo:sli_error:ratio_rate3d",
            "availability",
            "11h",
            Some(0.0005),
        ),
        is(
            "slo:period_error_budget_remaining:ratio",
            "availability",
            "11h",
            Some(0.5),
        ),
    ];
    test("new", series, expected);
}

#[test]
fn what_is_answered_later_than_the_threshold_counts_and_what_fails_does_not() {
    let bucket = |bound: &str, status: u16, values: &str| {
        let labels = format!("pod=\"a\",status=\"{status}\",le=\"{bound}\"");
        series("http_request_duration_seconds_bucket", &labels, values)
    };
    let series = vec![
        requests("a", 200, "0+100x90"),
        requests("a", 500, "0+50x90"),
        bucket("0.3", 200, "0+97x90"),
        bucket("1", 200, "0+100x90"),
        bucket("0.3", 500, "0+50x90"),
        bucket("1", 500, "0+50x90"),
    ];
    let expected = vec![
        is("slo:sli_error:ratio_rate1h", "latency", "1h", Some(0.03)),
        is("slo:current_burn_rate:ratio", "latency", "1h", Some(3.0)),
        is(
            "slo:period_error_budget_remaining:ratio",
            "latency",
            "1h",
            Some(-2.0),
        ),
    ];
    test("latency", series, expected);
}

#[test]
fn a_burn_pages_while_it_goes_on_and_no_longer() {
    // Two in a hundred, twenty times the budget, from the second hour to the third.
    let series = vec![
        requests("a", 200, "0+98x360"),
        requests("a", 500, "0+0x60 0+2x60 120+0x240"),
    ];
    let all = [
        ("page", "1h"),
        ("page", "6h"),
        ("ticket", "1d"),
        ("ticket", "3d"),
    ];
    let expected = vec![
        firing("55m", &[]),
        // An hour of twenty would be more than 14.4 only after 44 minutes of it.
        firing("1h40m", &all[1..]),
        firing("1h58m", &all),
        // Five minutes after the end the short window of the first is clean, after thirty that of the second.
        firing("2h10m", &all[1..]),
        firing("2h40m", &all[2..]),
    ];
    test("burn", series, expected);
}

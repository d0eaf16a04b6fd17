//! Each alert of an API begins and ends when it should.

use docket_objectives::{Links, Scope, Tenant, presence_alerts, service_alerts};
use serde_json::{Value, json};

use crate::tool::{RULES, firing, promtool, test};

fn tenant(least_traffic: Option<u32>) -> Tenant {
    Tenant {
        namespace: "acme".into(),
        name: "acme".into(),
        objectives: Vec::new(),
        least_traffic,
    }
}

fn links() -> Links {
    Links {
        runbooks: Some("https://docs.test/runbooks".into()),
        dashboards: Some("https://grafana.test/".into()),
    }
}

/// As a ConfigMap has them.
pub fn rules(least_traffic: Option<u32>) -> Value {
    let shared = service_alerts(Scope::All(&[]), &links());
    json!({"groups": [shared, presence_alerts(&tenant(least_traffic), &links())]})
}

fn of_pod(metric: &str, labels: &str, values: &str) -> Value {
    let pod = r#"namespace="acme",docket_tenant="acme",instance="10.0.0.7:8000""#;
    json!({"series": format!("{metric}{{{pod},{labels}}}"), "values": values})
}

fn up(values: &str) -> Value {
    of_pod("up", "", values)
}

fn requests(status: u16, values: &str) -> Value {
    let labels = format!(
        r#"docket_workload="documents",path="/clients/{{client}}/documents",status="{status}""#
    );
    of_pod("http_requests_total", &labels, values)
}

fn within(seconds: &str, values: &str) -> Value {
    let labels = format!(
        r#"docket_workload="documents",path="/clients/{{client}}/documents",status="200",le="{seconds}""#
    );
    of_pod("http_request_duration_seconds_bucket", &labels, values)
}

fn statements(success: bool, values: &str) -> Value {
    of_pod(
        "database_operations_total",
        &format!(r#"success="{success}""#),
        values,
    )
}

/// With the pod up, `series` make the alerts of `expected` fire.
fn alerts(series: Vec<Value>, expected: &[(&str, &[(&str, &str)])]) {
    let series = [series, vec![up("1+0x120")]].concat();
    let expected: Vec<Value> = expected
        .iter()
        .map(|(time, all)| firing(time, all))
        .collect();
    test(
        &rules(None),
        &series,
        &json!({"promql_expr_test": expected}),
    );
}

const WARNING: &str = "warning";
const PAGE: &str = "page";

#[test]
fn prometheus_takes_the_rules_of_all_tenants_and_of_one() {
    promtool(&["check", "rules", RULES], &[(RULES, &rules(Some(100)))]);
    let of_one = service_alerts(Scope::One(&tenant(None)), &links());
    let namespaces = ["acme".to_owned(), "globex".to_owned()];
    let of_some = service_alerts(Scope::All(&namespaces), &links());
    for group in [of_one, of_some] {
        let rules = json!({"groups": [group]});
        promtool(&["check", "rules", RULES], &[(RULES, &rules)]);
    }
}

#[test]
fn more_than_one_of_twenty_failing_is_a_warning_and_more_than_one_of_ten_a_page() {
    let series = vec![
        requests(200, "0+100x120"),
        requests(404, "0+100x120"),
        // 5 % of all at first, 8 % from the half hour on, 12 % from the hour on, and none at last.
        requests(503, "0+10.5x30 315+17.4x30 837+27.3x30 1656+0x30"),
    ];
    let high = "DocketErrorRateHigh";
    alerts(
        series,
        &[
            ("25m", &[]),
            ("50m", &[(high, WARNING)]),
            ("1h20m", &[(high, WARNING), (high, PAGE)]),
            ("1h45m", &[]),
        ],
    );
}

#[test]
fn a_few_requests_at_night_are_no_share() {
    let series = vec![requests(200, "0+0x120"), requests(500, "0+1x120")];
    alerts(series, &[("1h", &[])]);
}

#[test]
fn an_alert_names_its_tenant_and_where_to_go() {
    let series = [
        up("1+0x60"),
        requests(200, "0+92x60"),
        requests(500, "0+8x60"),
    ];
    let expected = json!({"alert_rule_test": [{
        "eval_time": "30m", "alertname": "DocketErrorRateHigh",
        "exp_alerts": [{
            "exp_labels": {"severity": "warning", "namespace": "acme", "tenant": "acme", "docket_tenant": "acme"},
            "exp_annotations": {
                "summary": "acme in acme answers too many requests with a 5xx",
                "description": "8% of requests failed over the last 5m; more than 5 % is an alert.",
                "runbook_url": "https://docs.test/runbooks/DocketErrorRateHigh.md",
                "dashboard_url": "https://grafana.test/d/docket-service?var-namespace=acme&var-tenant=acme",
            },
        }],
    }]});
    test(&rules(None), &series, &expected);
}

#[test]
fn one_of_twenty_slower_than_a_second_is_a_warning_and_than_two_a_page() {
    let slow = |one: &str, two_and_a_half: &str, five: &str| {
        vec![
            requests(200, "0+100x120"),
            within("1", one),
            within("2.5", two_and_a_half),
            within("5", five),
            within("+Inf", five),
        ]
    };
    let high = "DocketLatencyHigh";
    let quick = slow("0+96x60", "0+100x60", "0+100x60");
    alerts(quick, &[("30m", &[])]);
    // The 95th is a sixth of the way from 1 s to 2.5 s.
    let slow_ones = slow("0+94x60 5640+100x60", "0+100x120", "0+100x120");
    alerts(slow_ones, &[("30m", &[(high, WARNING)]), ("1h30m", &[])]);
    let slower = slow("0+80x60", "0+90x60", "0+100x60");
    alerts(slower, &[("30m", &[(high, WARNING), (high, PAGE)])]);
}

#[test]
fn a_database_that_is_slow_or_refuses_is_a_warning() {
    let bucket = |bound: &str, values: &str| {
        let labels = format!(r#"le="{bound}""#);
        of_pod(
            "database_operation_duration_seconds_bucket",
            &labels,
            values,
        )
    };
    let slow = vec![
        statements(true, "0+100x120"),
        bucket("1", "0+90x60 5400+100x60"),
        bucket("2.5", "0+100x120"),
        bucket("+Inf", "0+100x120"),
    ];
    let name = "DocketDatabaseSlow";
    alerts(slow, &[("30m", &[(name, WARNING)]), ("1h30m", &[])]);
    let refuses = vec![
        statements(true, "0+94x120"),
        statements(false, "0+6x60 360+0x60"),
    ];
    let name = "DocketDatabaseErrors";
    alerts(refuses, &[("30m", &[(name, WARNING)]), ("1h30m", &[])]);
    alerts(
        vec![statements(true, "0+96x60"), statements(false, "0+4x60")],
        &[("30m", &[])],
    );
}

#[test]
fn a_pool_without_a_free_connection_is_a_warning_for_as_long_as_callers_wait_in_vain() {
    let series = vec![of_pod(
        "database_connection_timeouts_total",
        "",
        "0+0x20 0+3x20 60+0x20",
    )];
    let name = "DocketPoolExhausted";
    alerts(
        series,
        &[("15m", &[]), ("30m", &[(name, WARNING)]), ("50m", &[])],
    );
}

#[test]
fn content_that_servers_refuse_to_delete_pages_until_an_hour_after_it_is_settled() {
    let runs = |outcome: &str, values: &str| {
        let labels = format!(r#"task="sweep",outcome="{outcome}""#);
        of_pod("docket_maintenance_runs_total", &labels, values)
    };
    // Once in ten minutes, for twenty.
    let series = vec![
        runs("refused", "0+0x10 0+0.1x20 2+0x90"),
        runs("failed", "0+1x120"),
        runs("done", "0+1x120"),
    ];
    let name = "DocketMaintenanceRefused";
    alerts(
        series,
        &[("8m", &[]), ("25m", &[(name, PAGE)]), ("1h45m", &[])],
    );
}

#[test]
fn a_task_that_panics_is_a_warning_that_names_it_until_a_while_after_the_last_time() {
    let of_task = |task: &str, values: &str| {
        let labels = format!(r#"task="{task}""#);
        of_pod("docket_task_panics_total", &labels, values)
    };
    let operators = json!({"series": r#"docket_task_panics_total{job="docket-operator",task="rules"}"#, "values": "0+1x60"});
    let series = vec![
        of_task("maintenance", "0+0x10 1+0x50"),
        of_task("limits", "0+0x60"),
        operators,
    ];
    let name = "DocketTaskPanicked";
    alerts(
        series,
        &[("8m", &[]), ("15m", &[(name, WARNING)]), ("35m", &[])],
    );
}

#[test]
fn one_pod_with_more_than_four_fifths_of_its_memory_is_a_warning() {
    let other = r#"namespace="acme",docket_tenant="acme",instance="10.0.0.8:8000""#;
    let series = vec![
        of_pod("memory_working_set_bytes", "", "79+0x20 81+0x20 50+0x20"),
        of_pod("memory_limit_bytes", "", "100+0x60"),
        json!({"series": format!("memory_working_set_bytes{{{other}}}"), "values": "10+0x60"}),
        json!({"series": format!("memory_limit_bytes{{{other}}}"), "values": "100+0x60"}),
    ];
    let name = "DocketMemoryHigh";
    alerts(
        series,
        &[("15m", &[]), ("30m", &[(name, WARNING)]), ("50m", &[])],
    );
}

#[test]
fn a_tenant_is_down_when_no_pod_answers_or_there_is_none() {
    let other =
        json!({"series": r#"up{namespace="acme",docket_tenant="globex"}"#, "values": "1+0x60"});
    // That its collector answers serves nobody.
    let collector = of_pod("up", "container=\"collector\"", "1+0x60");
    let series = [up("1+0x20 0+0x10 1+0x10 _x20"), collector, other];
    let down: &[(&str, &str)] = &[("DocketServiceDown", PAGE)];
    let expected = [
        firing("15m", &[]),
        firing("25m", down),
        firing("38m", &[]),
        firing("55m", down),
    ];
    test(
        &rules(None),
        &series,
        &json!({"promql_expr_test": expected}),
    );
    let alert = json!({"alert_rule_test": [{
        "eval_time": "25m", "alertname": "DocketServiceDown",
        "exp_alerts": [{
            "exp_labels": {"severity": "page", "namespace": "acme", "tenant": "acme", "docket_tenant": "acme"},
            "exp_annotations": {
                "summary": "acme in acme serves nobody",
                "description": "No pod of the API answers, or each of them says that no client's database can be used.",
                "runbook_url": "https://docs.test/runbooks/DocketServiceDown.md",
                "dashboard_url": "https://grafana.test/d/docket-service?var-namespace=acme&var-tenant=acme",
            },
        }],
    }]});
    test(&rules(None), &series, &alert);
}

#[test]
fn a_tenant_is_down_when_every_check_of_its_data_store_says_so() {
    let checks = |status: &str, values: &str| {
        let labels = format!(r#"component="data_store",status="{status}""#);
        of_pod("health_check_total", &labels, values)
    };
    let series = vec![
        checks("healthy", "0+12x20 240+0x20 240+12x20"),
        checks("unhealthy", "0+0x20 0+12x20 240+0x20"),
    ];
    // A sample a minute would be too few for a window of one.
    let series: Vec<Value> = [series, vec![up("1+0x60")]].concat();
    let down: &[(&str, &str)] = &[("DocketServiceDown", PAGE)];
    let expected = [firing("4m", &[]), firing("9m", down), firing("14m", &[])];
    let tests = json!({"interval": "15s", "promql_expr_test": expected});
    test(&rules(None), &series, &tests);
}

#[test]
fn little_traffic_is_an_alert_for_who_asks_for_it_and_none_at_all_too() {
    let series = [
        up("1+0x60"),
        requests(200, "0+5940x20 118800+6060x20 240000+0x20"),
    ];
    let low: &[(&str, &str)] = &[("DocketTrafficLow", WARNING)];
    let expected = [firing("18m", low), firing("38m", &[]), firing("55m", low)];
    let expected = json!({"promql_expr_test": expected});
    test(&rules(Some(100)), &series, &expected);
    test(
        &rules(Some(100)),
        &[up("1+0x60")],
        &json!({"promql_expr_test": [firing("18m", low)]}),
    );
    test(
        &rules(None),
        &series,
        &json!({"promql_expr_test": [firing("18m", &[])]}),
    );
}

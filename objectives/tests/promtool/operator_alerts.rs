//! The alerts that the chart ships, on the operator itself.

use serde_json::{Value, json};

use crate::tool::{RULES, firing, promtool, test};

pub fn rules() -> Value {
    let text = include_str!("../../../charts/docket/files/rules/operator.yaml");
    serde_saphyr::from_str(text).expect("YAML")
}

fn series(series: &str, values: &str) -> Value {
    json!({"series": series, "values": values})
}

fn alerts(mut all: Vec<Value>, expected: &[(&str, &[&str])]) {
    all.push(series("docket_operator_leader", "1+0x120"));
    let expected: Vec<Value> = expected
        .iter()
        .map(|(time, names)| {
            let names: Vec<_> = names.iter().map(|name| (*name, "warning")).collect();
            firing(time, &names)
        })
        .collect();
    test(&rules(), &all, &json!({"promql_expr_test": expected}));
}

#[test]
fn prometheus_takes_the_rules() {
    promtool(&["check", "rules", RULES], &[(RULES, &rules())]);
}

#[test]
fn no_operator_with_the_lease_is_an_alert_and_one_that_waits_for_it_is_not_enough() {
    let of = |pod: &str, values: &str| {
        series(&format!("docket_operator_leader{{pod=\"{pod}\"}}"), values)
    };
    let all = [of("a", "1+0x20 _x60"), of("b", "0+0x40 1+0x20")];
    let absent: &[(&str, &str)] = &[("DocketOperatorAbsent", "warning")];
    let expected = [
        firing("15m", &[]),
        firing("35m", absent),
        firing("55m", &[]),
    ];
    test(&rules(), &all, &json!({"promql_expr_test": expected}));
}

#[test]
fn one_kind_of_error_in_more_than_a_tenth_of_reconciles_is_an_alert() {
    let of = |result: &str, values: &str| {
        series(
            &format!("docket_operator_reconciles_total{{result=\"{result}\"}}"),
            values,
        )
    };
    let all = vec![
        of("ok", "0+80x120"),
        of("database", "0+15x60 900+0x60"),
        of("kubernetes", "0+5x120"),
    ];
    alerts(all, &[("50m", &["DocketOperatorErrors"]), ("1h40m", &[])]);
}

#[test]
fn slow_reconciles_and_tenants_that_wait_are_alerts() {
    let bucket = |bound: &str, values: &str| {
        let name = "docket_operator_reconcile_duration_seconds_bucket";
        series(&format!("{name}{{le=\"{bound}\"}}"), values)
    };
    let slow = vec![
        bucket("10", "0+9x60 540+10x60"),
        bucket("30", "0+10x120"),
        bucket("+Inf", "0+10x120"),
    ];
    alerts(slow, &[("40m", &["DocketOperatorSlow"]), ("1h40m", &[])]);
    let waiting = vec![series(
        "docket_operator_tenants_waiting",
        "0+0x10 2+0x20 0+0x20",
    )];
    alerts(
        waiting,
        &[
            ("15m", &[]),
            ("25m", &["DocketOperatorBehind"]),
            ("45m", &[]),
        ],
    );
}

#[test]
fn writes_without_an_end_and_rules_without_a_place_are_alerts() {
    let writes = vec![series(
        "docket_operator_writes_total{kind=\"Service\"}",
        "0+70x80 5600+0x40",
    )];
    alerts(
        writes,
        &[
            ("30m", &[]),
            ("1h10m", &["DocketOperatorWritesOn"]),
            ("1h50m", &[]),
        ],
    );
    let left = vec![series(
        "docket_operator_rules_left_out",
        "0+0x10 3+0x10 0+0x10",
    )];
    alerts(
        left,
        &[("5m", &[]), ("15m", &["DocketRulesLeftOut"]), ("25m", &[])],
    );
}

#[test]
fn a_reconcile_and_a_task_of_the_operator_that_panic_are_alerts_and_those_of_servers_are_not() {
    let name = "DocketOperatorPanicked";
    let once = "0+0x10 1+0x50";
    let expected: &[(&str, &[&str])] = &[("8m", &[]), ("15m", &[name]), ("35m", &[])];
    for of in [
        "docket_operator_reconciles_total{result=\"panicked\"}",
        "docket_task_panics_total{task=\"databases\"}",
    ] {
        alerts(vec![series(of, once)], expected);
    }
    for of in [
        "docket_operator_reconciles_total{result=\"ok\"}",
        "docket_task_panics_total{task=\"limits\",docket_tenant=\"acme\"}",
    ] {
        alerts(vec![series(of, once)], &[("15m", &[])]);
    }
}

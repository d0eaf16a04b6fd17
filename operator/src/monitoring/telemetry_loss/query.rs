//! What a Prometheus is asked of all tenants' collectors, and what its answer means.

use std::collections::HashMap;

use docket_objectives::Sample;

use crate::cache::pods::Owner;

/// Label that tells apart what was measured.
const KIND: &str = "docket_telemetry";
const DROPPED: &str = "dropped";
const FULLEST: &str = "fullest";
const UNSENT: &str = "unsent";

/// What the collectors of a tenant say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Measured {
    /// Spans, log records and metric points that were dropped in ten minutes.
    pub(super) dropped: f64,
    /// Part of the fullest queue that is filled, 0 to 1.
    pub(super) fullest: f64,
    /// Queues in which something waited for five minutes while nothing was sent.
    pub(super) unsent: f64,
}

/// What a collector counts, by the end of its metrics' names.
const ITEMS: [&str; 3] = ["spans", "metric_points", "log_records"];

/// Why items are dropped: a queue was full, or the endpoint refused them for good.
const LOST: [&str; 2] = ["enqueue_failed", "send_failed"];

/// Asks for all tenants of some namespaces, or of all where none is named.
pub(super) fn query(namespaces: &[String]) -> String {
    let tenants = docket_objectives::tenants_of(namespaces);
    let series = |name: &str| format!("otelcol_exporter_{name}{{{tenants}}}");
    let of_tenant = "by (namespace, docket_tenant)";
    let of_pod = "(namespace, docket_tenant, pod)";

    let names = LOST
        .iter()
        .flat_map(|why| ITEMS.map(|items| format!("{why}_{items}")));
    let lost: Vec<String> = names
        .map(|name| labelled("counted", &name, &lately(&series(&name))))
        .collect();
    let (size, capacity) = (series("queue_size"), series("queue_capacity"));
    let waits = format!("(min_over_time({size}[5m]) > 0 and {size} offset 5m > 0)");
    let sent = ITEMS.map(|items| {
        let sent = series(&format!("sent_{items}"));
        format!("sum by {of_pod} (increase({sent}[5m])) > 0")
    });
    let parts = [
        (DROPPED, format!("sum {of_tenant} ({})", lost.join(" or "))),
        (FULLEST, format!("max {of_tenant} ({size} / {capacity})")),
        (
            UNSENT,
            format!(
                "count {of_tenant} ({waits} unless on {of_pod} ({}))",
                sent.join(" or ")
            ),
        ),
    ];
    parts
        .map(|(kind, it)| labelled(KIND, kind, &it))
        .join(" or ")
}

/// What the counter `series` counted in ten minutes. It comes to be with the first that it counts, so
/// what it starts with counts, too: that is why this is no `increase`.
fn lately(series: &str) -> String {
    format!("clamp_min({series} - ({series} offset 10m or 0 * {series}), 0)")
}

fn labelled(label: &str, value: &str, expression: &str) -> String {
    format!("label_replace({expression}, \"{label}\", \"{value}\", \"\", \"\")")
}

/// What `samples`, the answer to a [`query`], say. Those of other shapes are passed over.
pub(super) fn measured(samples: impl IntoIterator<Item = Sample>) -> HashMap<Owner, Measured> {
    let mut tenants: HashMap<Owner, Measured> = HashMap::new();
    for Sample { mut labels, value } in samples {
        let [Some(namespace), Some(tenant), Some(kind)] =
            ["namespace", "docket_tenant", KIND].map(|label| labels.remove(label))
        else {
            continue;
        };
        let of_tenant = tenants.entry((namespace, tenant)).or_default();
        match &*kind {
            DROPPED => of_tenant.dropped = value,
            FULLEST => of_tenant.fullest = value,
            UNSENT => of_tenant.unsent = value,
            _ => {}
        }
    }
    tenants
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A series of one scrape a minute of a pod.
    fn series(name: &str, tenant: &str, pod: &str, values: &str) -> Value {
        let labels = format!(
            r#"namespace="team",docket_tenant="{tenant}",pod="{pod}",exporter="otlp_grpc""#
        );
        json!({"series": format!("otelcol_exporter_{name}{{{labels}}}"), "values": values})
    }

    /// Of `kind`, what the query says of each tenant after 30 minutes of `input`.
    fn says(kind: &str, input: &[Value], expected: &[(&str, f64)]) {
        let samples: Vec<Value> = expected
            .iter()
            .map(|(tenant, value)| {
                let labels =
                    format!(r#"{{namespace="team",docket_tenant="{tenant}",{KIND}="{kind}"}}"#);
                json!({"labels": labels, "value": value})
            })
            .collect();
        let whole = format!(
            "({}) and on ({KIND}) label_replace(vector(1), \"{KIND}\", \"{kind}\", \"\", \"\")",
            query(&["team".to_owned()])
        );
        let tests = json!({
            "evaluation_interval": "1m",
            "tests": [{"interval": "1m", "input_series": input,
                "promql_expr_test": [{"expr": whole, "eval_time": "30m", "exp_samples": samples}]}],
        });
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tests.yaml");
        std::fs::write(&file, serde_yaml::to_string(&tests).expect("YAML")).expect("written");
        docket_testing_support::promtool(&["test".into(), "rules".into(), file.into()])
            .expect("as computed by hand");
    }

    #[test]
    fn what_was_dropped_in_ten_minutes_is_counted_over_pods_and_signals() {
        let input = [
            series("enqueue_failed_spans", "acme", "a", "0+1x30"),
            series("send_failed_log_records", "acme", "b", "0+2x30"),
            // Long ago, and all the same since.
            series("enqueue_failed_spans", "other", "c", "500x30"),
        ];
        says(DROPPED, &input, &[("acme", 30.0), ("other", 0.0)]);
    }

    #[test]
    fn a_counter_that_begins_with_a_loss_and_one_that_begins_anew_count_what_they_show() {
        let input = [
            series("enqueue_failed_spans", "new", "a", "_x24 7x5"),
            series("enqueue_failed_spans", "again", "b", "100x24 3x5"),
        ];
        says(DROPPED, &input, &[("new", 7.0), ("again", 0.0)]);
    }

    #[test]
    fn the_fullest_queue_speaks_for_a_tenant() {
        let input = [
            series("queue_size", "acme", "a", "10x30"),
            series("queue_capacity", "acme", "a", "100x30"),
            series("queue_size", "acme", "b", "90x30"),
            series("queue_capacity", "acme", "b", "100x30"),
        ];
        says(FULLEST, &input, &[("acme", 0.9)]);
    }

    #[test]
    fn a_queue_is_stuck_when_something_waits_and_nothing_of_its_pod_is_sent() {
        let input = [
            series("queue_size", "stuck", "a", "10x30"),
            series("sent_spans", "stuck", "a", "50x30"),
            series("queue_size", "busy", "b", "10x30"),
            series("sent_spans", "busy", "b", "0+50x30"),
            series("queue_size", "fresh", "c", "_x27 10x2"),
            series("queue_size", "emptied", "d", "10x27 0x2"),
        ];
        says(UNSENT, &input, &[("stuck", 1.0)]);
    }

    #[test]
    fn an_answer_is_read_by_tenant_and_kind() {
        let sample = |labels: &[(&str, &str)], value| Sample {
            labels: labels
                .iter()
                .map(|(key, it)| ((*key).into(), (*it).into()))
                .collect(),
            value,
        };
        let of = [("namespace", "team"), ("docket_tenant", "acme")];
        let found = measured([
            sample(&[&of[..], &[(KIND, DROPPED)]].concat(), 3.0),
            sample(&[&of[..], &[(KIND, FULLEST)]].concat(), 0.5),
            sample(&[&of[..], &[(KIND, "more")]].concat(), 9.0),
            sample(&of, 7.0),
        ]);
        let expected = Measured {
            dropped: 3.0,
            fullest: 0.5,
            unsent: 0.0,
        };
        assert_eq!(
            found,
            HashMap::from([(("team".into(), "acme".into()), expected)])
        );
    }
}

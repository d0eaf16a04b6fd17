//! What the Prometheus operator learns of a tenant, where there is one.

use docket_crds::ConditionType;
use docket_operator::cache::optional_kinds::OptionalKinds;
use docket_operator::cache::presence::Presence;
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const RULE: &str = "/apis/monitoring.coreos.com/v1/namespaces/acme/prometheusrules/acme-api";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
const MONITOR: &str = "/apis/monitoring.coreos.com/v1/namespaces/acme/podmonitors/acme-api";

fn monitored(postgres: &Postgres) -> Cluster {
    let optional = OptionalKinds {
        prometheus_rules: Presence::settled(true),
        pod_monitors: Presence::settled(true),
        ..OptionalKinds::none()
    };
    let secret = postgres.secret("postgres", PASSWORD);
    let cluster = Cluster::having(optional, &["globex"], &secret);
    let objectives = json!([{"name": "availability", "target": "99.9", "window": "30d"}]);
    cluster.change(json!({"spec": {"objectives": objectives}}));
    cluster
}

#[tokio::test]
async fn the_rules_of_objectives_are_the_tenants_own_and_go_with_them() {
    let postgres = Postgres::start();
    let cluster = monitored(&postgres);
    cluster.settle().await;
    let rule = cluster.get(RULE);
    assert_eq!(rule["metadata"]["ownerReferences"][0]["name"], "acme");
    let groups = rule["spec"]["groups"].to_string();
    assert!(groups.contains("slo:sli_error:ratio_rate5m"), "{groups}");
    let monitor = cluster.get(MONITOR);
    assert_eq!(
        monitor["spec"]["podMetricsEndpoints"][0]["path"],
        "/metrics"
    );

    cluster.change(json!({"spec": {"objectives": null}}));
    cluster.reconcile().await.expect("they go");
    let groups = cluster.get(RULE)["spec"]["groups"].to_string();
    assert!(!groups.contains("slo:"), "{groups}");
    assert!(groups.contains("DocketServiceDown"), "{groups}");
}

#[tokio::test]
async fn the_alerts_of_a_tenant_that_is_deleted_go_before_its_pods() {
    let postgres = Postgres::start();
    let cluster = monitored(&postgres);
    cluster.settle().await;
    cluster.change(json!({"metadata": {"deletionTimestamp": "2026-11-28T12:00:00Z"}}));
    cluster.forget_writes();
    cluster.reconcile().await.expect("its pods go");
    let mut writes = cluster.writes();
    writes.retain(|write| write.starts_with("DELETE"));
    assert_eq!(
        writes,
        [RULE, DEPLOYMENT].map(|path| format!("DELETE {path}"))
    );
}

#[tokio::test]
async fn rules_of_that_name_that_are_not_the_tenants_stay_when_it_is_deleted() {
    let postgres = Postgres::start();
    let cluster = monitored(&postgres);
    cluster.settle().await;
    let mut foreign = cluster.get(RULE);
    foreign["metadata"]["ownerReferences"] = json!([]);
    cluster.put(RULE, foreign.clone());
    cluster.change(json!({"metadata": {"deletionTimestamp": "2026-11-28T12:00:00Z"}}));
    cluster.reconcile().await.expect("its pods go");
    assert!(cluster.get(DEPLOYMENT).is_null());
    assert!(cluster.get(RULE).is_object());
}

#[tokio::test]
async fn without_the_prometheus_operator_nothing_of_it_is_asked_for() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.change(json!({"spec": {"objectives": [{"name": "availability", "target": "99.9"}]}}));
    cluster.settle().await;
    assert!(cluster.get(RULE).is_null() && cluster.get(MONITOR).is_null());
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
}

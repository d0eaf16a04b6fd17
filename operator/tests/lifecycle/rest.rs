//! Tenants that are left as they are.

use docket_crds::{ConditionType, annotations};
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const STATUS: &str = "PATCH /apis/docket.dev/v1alpha1/namespaces/acme/documenttenants/acme";
const PLAN: &str = annotations::PLAN;

async fn schemas(postgres: &Postgres) -> i64 {
    postgres
        .number(
            "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'acme%' OR nspname = 'docket'",
        )
        .await
}

#[tokio::test]
async fn while_a_tenant_is_paused_nothing_but_its_status_is_written_and_afterwards_it_catches_up() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    cluster.change(json!({"spec": {"paused": true,
        "clients": [{"name": "globex"}, {"name": "initech"}], "api": {"replicas": 3}}}));
    cluster.forget_writes();
    for _ in 0..3 {
        cluster.reconcile().await.expect("at rest");
    }
    assert_eq!(cluster.writes(), [STATUS], "once, and no more");
    assert_eq!(schemas(&postgres).await, 2);
    let (status, reason, message) = cluster.condition(ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("Unknown", "Paused"));
    assert_eq!(message, "Nothing is changed while spec.paused is true.");
    assert_eq!(cluster.condition(ConditionType::ApiAvailable).0, "True");
    assert!(
        cluster
            .events()
            .iter()
            .any(|(reason, _)| reason == "Paused")
    );

    cluster.change(json!({"spec": {"paused": false}}));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert_eq!(schemas(&postgres).await, 3);
}

#[tokio::test]
async fn a_paused_tenant_that_is_deleted_goes() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    cluster.change(json!({"spec": {"paused": true},
        "metadata": {"deletionTimestamp": "2026-11-21T12:00:00Z"}}));
    for _ in 0..2 {
        cluster.reconcile().await.expect("it goes");
    }
    assert_eq!(
        cluster.tenant().metadata.finalizers.unwrap_or_default(),
        [""; 0]
    );
    let retained = "SELECT count(*) FROM docket.clients WHERE state = 'Retained'";
    assert_eq!(postgres.number(retained).await, 1);
}

#[tokio::test]
async fn a_plan_for_a_new_tenant_names_all_that_would_be_made_and_makes_nothing() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.change(json!({"metadata": {"annotations": {PLAN: "true"}}}));
    for _ in 0..3 {
        cluster.reconcile().await.expect("at rest");
    }
    assert_eq!(cluster.writes(), [STATUS], "once, and no more");
    assert_eq!(schemas(&postgres).await, 0);
    insta::assert_yaml_snapshot!(
        "plan_of_a_new_tenant",
        cluster.tenant().status.expect("a status").plan
    );
    let (status, reason, message) = cluster.condition(ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("Unknown", "Planned"));
    assert!(
        message.ends_with("status.plan names 10 changes."),
        "{message}"
    );
}

#[tokio::test]
async fn a_plan_for_a_change_names_what_differs_and_goes_when_it_is_carried_out() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(
        &["globex", "initech"],
        &postgres.secret("postgres", PASSWORD),
    );
    cluster.settle().await;
    cluster.change(json!({"metadata": {"annotations": {PLAN: "true"}},
        "spec": {"clients": [{"name": "globex"}], "api": {"image": "api:2"}, "telemetry": {"collector": {"image": "collector:2"}}}}));
    cluster.forget_writes();
    for _ in 0..3 {
        cluster.reconcile().await.expect("at rest");
    }
    assert_eq!(cluster.writes(), [STATUS], "once, and no more");
    insta::assert_yaml_snapshot!(
        "plan_of_a_change",
        cluster.tenant().status.expect("a status").plan
    );

    cluster.change(json!({"metadata": {"annotations": {PLAN: null}}}));
    cluster.settle().await;
    assert_eq!(cluster.tenant().status.expect("a status").plan, None);
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    cluster.change(json!({"metadata": {"annotations": {PLAN: "true"}}}));
    cluster.reconcile().await.expect("at rest");
    assert!(
        cluster
            .condition(ConditionType::Ready)
            .2
            .ends_with("Everything is as the spec asks.")
    );
}

#[tokio::test]
async fn a_plan_of_what_would_be_refused_says_why() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    cluster.change(json!({"spec": {"clients": [{"name": "initech"}]}}));
    cluster.settle().await;
    cluster.change(json!({"metadata": {"annotations": {PLAN: "true"}},
        "spec": {"clients": [{"name": "globex"}, {"name": "initech"}]}}));
    cluster.reconcile().await.expect("at rest");
    let (status, reason, _) = cluster.condition(ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("False", "RetainedDataFound"));
}

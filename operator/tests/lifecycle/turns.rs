//! Data that is let go a part at a time, so that other tenants have their turn in between.

use std::time::Duration;

use docket_crds::ConditionType;
use kube::runtime::controller::Action;
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const CLIENTS: [&str; 3] = ["globex", "initech", "umbrella"];

/// A tenant with three clients, of which a turn deals with one.
async fn ready() -> (Postgres, Cluster) {
    let postgres = Postgres::start();
    let mut cluster = Cluster::new(&CLIENTS, &postgres.secret("postgres", PASSWORD));
    cluster.take_turns(Duration::ZERO);
    cluster.settle().await;
    (postgres, cluster)
}

async fn retained(postgres: &Postgres) -> i64 {
    let retained = "SELECT count(*) FROM docket.clients WHERE state = 'Retained'";
    postgres.number(retained).await
}

/// Notes of the Events that say what was changed.
fn told(cluster: &Cluster) -> Vec<String> {
    let events = cluster.events().into_iter();
    events
        .filter(|(reason, _)| reason == "Applied")
        .map(|(_, note)| note.split(" (trace").next().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_tenant_that_is_deleted_lets_go_of_its_clients_in_turns() {
    let (postgres, cluster) = ready().await;
    let before = told(&cluster).len();
    cluster.change(json!({"metadata": {"deletionTimestamp": "2026-11-28T12:00:00Z"}}));
    cluster.reconcile().await.expect("its pods go");
    for type_ in [
        ConditionType::Ready,
        ConditionType::ApiAvailable,
        ConditionType::CollectorReady,
    ] {
        let (status, reason, message) = cluster.condition(type_);
        assert_eq!((&*status, &*reason), ("False", "Deleting"), "{type_}");
        assert!(message.contains("their data stays"), "{message}");
    }
    let status = cluster.tenant().status.expect("a status");
    assert!(status.api.is_none() && status.clients.len() == CLIENTS.len());
    for gone in 1..CLIENTS.len() {
        let next = cluster.reconcile().await.expect("a turn");
        assert_eq!(next, Action::requeue(Duration::ZERO));
        assert_eq!(retained(&postgres).await, i64::try_from(gone).expect("few"));
        assert!(
            !cluster
                .tenant()
                .metadata
                .finalizers
                .unwrap_or_default()
                .is_empty()
        );
    }
    let told = told(&cluster).split_off(before);
    let [first, second] = &*told else {
        panic!("{told:?}");
    };
    assert!(
        first.starts_with("retained schema acme_globex_"),
        "{told:?}"
    );
    assert!(
        second.starts_with("retained schema acme_initech_"),
        "{told:?}"
    );
    cluster.reconcile().await.expect("the last turn");
    assert_eq!(retained(&postgres).await, 3);
    assert_eq!(
        cluster.tenant().metadata.finalizers.unwrap_or_default(),
        [""; 0]
    );
}

#[tokio::test]
async fn a_tenant_that_lets_go_of_clients_in_turns_is_not_ready_before_the_last() {
    let (postgres, cluster) = ready().await;
    let before = cluster.tenant().status.expect("a status");
    cluster.change(json!({"spec": {"clients": [{"name": "umbrella"}]}}));
    let next = cluster.reconcile().await.expect("a turn");
    assert_eq!(next, Action::requeue(Duration::ZERO));
    assert_eq!(retained(&postgres).await, 1);
    let now = cluster.tenant().status.expect("a status");
    assert_eq!(now.observed_generation, before.observed_generation);
    assert_eq!(now.clients.len(), 3, "it is still known whose data is left");
    let told = told(&cluster).pop().unwrap_or_default();
    assert!(told.contains("retained schema acme_globex_"), "{told}");

    cluster.settle().await;
    assert_eq!(retained(&postgres).await, 2);
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert_eq!(cluster.tenant().status.expect("a status").clients.len(), 1);
}

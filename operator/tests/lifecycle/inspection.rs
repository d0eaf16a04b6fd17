//! When a database is looked at again, and when what was seen a moment ago will do.

use std::time::Duration;

use docket_crds::{annotations, names};
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

/// A new tenant, looked at once, whose login was then taken by hand: who looks again gives it back.
async fn login_taken() -> (Postgres, Cluster) {
    let postgres = Postgres::start();
    let mut cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    // Longer than any test.
    cluster.trust_inspections(Duration::from_secs(600));
    cluster.reconcile().await.expect("made");
    assert!(works(&postgres, &cluster).await);
    let role = role(&cluster);
    postgres.run(&format!("ALTER ROLE {role} NOLOGIN")).await;
    (postgres, cluster)
}

fn role(cluster: &Cluster) -> String {
    let status = cluster.tenant().status.expect("a status");
    status.clients[0].role.clone()
}

async fn works(postgres: &Postgres, cluster: &Cluster) -> bool {
    let password = cluster.secret(&names::credentials_secret("acme"), "globex");
    let password = password.expect("a password");
    postgres.login(&role(cluster), &password).await.is_ok()
}

#[tokio::test]
async fn while_nothing_but_pods_moves_the_database_is_not_looked_at_again() {
    let (postgres, cluster) = login_taken().await;
    for _ in 0..3 {
        cluster.reconcile().await.expect("no failure");
    }
    assert!(!works(&postgres, &cluster).await);
}

#[tokio::test]
async fn a_change_of_the_tenant_is_reason_to_look() {
    for change in [
        json!({"spec": {"api": {"replicas": 3}}}),
        json!({"metadata": {"annotations": {"look": "again"}}}),
    ] {
        let (postgres, cluster) = login_taken().await;
        cluster.change(change.clone());
        cluster.reconcile().await.expect("no failure");
        assert!(works(&postgres, &cluster).await, "{change}");
    }
}

#[tokio::test]
async fn a_failure_is_reason_to_look() {
    let (postgres, cluster) = login_taken().await;
    cluster.fail_after(0, false);
    cluster.reconcile().await.expect_err("a write fails");
    cluster.reconcile().await.expect("no failure");
    assert!(works(&postgres, &cluster).await);
}

#[tokio::test]
async fn a_rotation_is_carried_through_all_the_same() {
    let (postgres, cluster) = login_taken().await;
    let before = role(&cluster);
    cluster.change(json!({"metadata": {"annotations": {annotations::ROTATE: "now"}}}));
    cluster.settle().await;
    assert_ne!(role(&cluster), before);
    assert!(works(&postgres, &cluster).await);
    let retiring = cluster.tenant().status.expect("a status").clients[0]
        .retiring
        .clone();
    assert_eq!(retiring, None);
}

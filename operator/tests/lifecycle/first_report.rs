//! What a new tenant's status says, and in how many writes.

use std::time::{Duration, Instant};

use docket_crds::ConditionType;
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

/// A new tenant whose pods are not there yet.
fn starting(postgres: &Postgres, hold: Duration) -> Cluster {
    let mut cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.hold_reports(hold);
    cluster.hold_pods(true);
    cluster
}

/// Writes of the tenant so far: one of its finalizer, the others of its status.
fn writes(cluster: &Cluster) -> usize {
    let writes = cluster.writes();
    let of_tenant = |write: &&String| write.ends_with("/documenttenants/acme");
    writes.iter().filter(of_tenant).count()
}

fn reasons(cluster: &Cluster) -> Vec<String> {
    let events = cluster.events().into_iter();
    events.map(|(reason, _)| reason).collect()
}

#[tokio::test]
async fn a_tenant_that_is_soon_whole_takes_two_writes_of_its_status_and_tells_its_whole_story() {
    let postgres = Postgres::start();
    let cluster = starting(&postgres, LONG);
    for _ in 0..3 {
        cluster.reconcile().await.expect("no failure");
    }
    assert_eq!(writes(&cluster), 2, "finalizer and names");
    let (status, reason, _) = cluster.condition(ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("Unknown", "Creating"));
    for part in ConditionType::PARTS {
        assert_eq!(cluster.condition(part).0, "Unknown", "{part}");
    }
    assert_eq!(reasons(&cluster), ["Applied"]);
    cluster.hold_pods(false);
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert_eq!(reasons(&cluster), ["Applied", "Ready"]);
    let status = cluster.tenant().status.expect("a status");
    let reconcile = status.reconcile.expect("what changed is not forgotten");
    assert!(reconcile.spans.iter().any(|span| span.name == "apply"));
}

#[tokio::test]
async fn its_last_write_is_the_second_of_its_status() {
    let postgres = Postgres::start();
    let cluster = starting(&postgres, LONG);
    cluster.reconcile().await.expect("no failure");
    cluster.hold_pods(false);
    for _ in 0..3 {
        cluster.reconcile().await.expect("no failure");
    }
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert_eq!(
        writes(&cluster),
        3,
        "finalizer, names, and that it is ready"
    );
}

#[tokio::test]
async fn a_tenant_that_takes_longer_says_how_far_it_is() {
    let postgres = Postgres::start();
    let cluster = starting(&postgres, Duration::from_millis(200));
    let start = Instant::now();
    loop {
        cluster.reconcile().await.expect("no failure");
        if cluster.condition(ConditionType::Ready).1 == "NoPodServes" {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it says nothing");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = cluster.tenant().status.expect("a status");
    assert!(status.reconcile.is_some(), "what changed is not forgotten");
    assert_eq!(cluster.condition(ConditionType::DatabaseReady).0, "True");
}

#[tokio::test]
async fn a_pod_that_cannot_start_is_told_at_once() {
    let postgres = Postgres::start();
    let cluster = starting(&postgres, LONG);
    let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    cluster.show_pod(
        &json!({"containerStatuses": [{"name": "api", "image": "x", "imageID": "",
        "ready": false, "restartCount": 0, "state": waiting}]}),
    );
    cluster.reconcile().await.expect("no failure");
    let (_, _, message) = cluster.condition(ConditionType::ApiAvailable);
    assert!(message.contains("no such image"), "{message}");
}

#[tokio::test]
async fn a_change_of_a_tenant_that_was_ready_is_told_at_once() {
    let postgres = Postgres::start();
    let cluster = starting(&postgres, LONG);
    cluster.hold_pods(false);
    cluster.settle().await;
    cluster.hold_pods(true);
    cluster.change(json!({"spec": {"api": {"image": "other"}}}));
    cluster.reconcile().await.expect("no failure");
    assert_eq!(cluster.condition(ConditionType::Ready).0, "False");
}

#[tokio::test]
async fn how_far_pods_are_waits_and_that_they_are_there_or_in_trouble_does_not() {
    let postgres = Postgres::start();
    let cluster = starting(&postgres, LONG);
    cluster.hold_pods(false);
    cluster.settle().await;
    cluster.hold_pods(true);
    cluster.change(json!({"spec": {"api": {"image": "other"}}}));
    cluster.reconcile().await.expect("no failure");
    let said = cluster.condition(ConditionType::ApiAvailable).2;
    cluster.forget_writes();

    let mut deployment = cluster.get(DEPLOYMENT);
    let generation = deployment["metadata"]["generation"].clone();
    deployment["status"] = json!({"observedGeneration": generation, "replicas": 2,
        "updatedReplicas": 2, "availableReplicas": 1});
    cluster.put(DEPLOYMENT, deployment);
    cluster.reconcile().await.expect("no failure");
    assert_eq!(cluster.condition(ConditionType::ApiAvailable).2, said);
    assert_eq!(writes(&cluster), 0, "it is held");

    let container = json!({"name": "api", "image": "x", "imageID": "", "ready": false,
        "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff"}}});
    cluster.show_pod(&json!({"containerStatuses": [container]}));
    cluster.reconcile().await.expect("no failure");
    let said = cluster.condition(ConditionType::ApiAvailable).2;
    assert!(
        said.contains("1 of 2") && said.contains("ImagePullBackOff"),
        "{said}"
    );

    cluster.hold_pods(false);
    cluster.reconcile().await.expect("no failure");
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
}

#[tokio::test]
async fn what_was_held_is_said_of_a_tenant_that_is_paused_meanwhile() {
    let postgres = Postgres::start();
    let cluster = starting(&postgres, LONG);
    cluster.reconcile().await.expect("no failure");
    cluster.change(json!({"spec": {"paused": true}}));
    cluster.reconcile().await.expect("no failure");
    assert_eq!(cluster.condition(ConditionType::Ready).1, "Paused");
    let status = cluster.tenant().status.expect("a status");
    assert!(status.reconcile.is_some(), "what changed is not forgotten");
}

//! Children that somebody else changed, or made.

use docket_crds::{ConditionType, names};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
const SERVICE: &str = "/api/v1/namespaces/acme/services/acme-api";

fn edited(mut object: Value, by: &str, change: impl FnOnce(&mut Value), fields: Value) -> Value {
    change(&mut object);
    object["metadata"]["managedFields"] = json!([{"manager": by, "operation": "Update",
        "fieldsType": "FieldsV1", "time": "2026-11-21T12:00:00Z", "fieldsV1": fields}]);
    object
}

#[tokio::test]
async fn a_child_that_was_changed_by_hand_is_put_right_and_an_event_names_who_changed_what() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    let scaled = edited(
        cluster.get(DEPLOYMENT),
        "kubectl-edit",
        |it| it["spec"]["replicas"] = 7.into(),
        json!({"f:spec": {"f:replicas": {}}}),
    );
    cluster.put(DEPLOYMENT, scaled);
    cluster.settle().await;
    assert_eq!(cluster.get(DEPLOYMENT)["spec"]["replicas"], 2);
    let told: Vec<String> = cluster
        .events()
        .into_iter()
        .filter_map(|(reason, note)| (reason == "DriftRepaired").then_some(note))
        .collect();
    assert_eq!(
        told,
        [
            "kubectl-edit changed Deployment/acme-api: it differs in spec.replicas, and is made again as the spec asks."
        ]
    );
}

#[tokio::test]
async fn what_others_added_to_a_child_is_left_alone() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    let mut deployment = cluster.get(DEPLOYMENT);
    deployment["metadata"]["labels"]["team"] = "blue".into();
    deployment["metadata"]["annotations"]["example.com/note"] = "theirs".into();
    let container = &mut deployment["spec"]["template"]["spec"]["containers"][0];
    let env = container["env"].as_array_mut().expect("variables");
    env.insert(0, json!({"name": "INJECTED", "value": "1"}));
    cluster.put(DEPLOYMENT, deployment);
    let mut service = cluster.get(SERVICE);
    let ports = service["spec"]["ports"].as_array_mut().expect("ports");
    ports.push(json!({"name": "theirs", "port": 99}));
    cluster.put(SERVICE, service);
    cluster.forget_writes();
    cluster.reconcile().await.expect("nothing to do");
    assert_eq!(cluster.writes(), [""; 0]);
}

#[tokio::test]
async fn what_was_created_counts_as_applied_from_its_first_change_on_and_can_be_taken_out() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(
        &["globex", "initech", "umbrella"],
        &postgres.secret("postgres", PASSWORD),
    );
    cluster.settle().await;
    let writes_without = async |clients: Value| {
        cluster.change(json!({"spec": {"clients": clients}}));
        cluster.forget_writes();
        cluster.reconcile().await.expect("no failure");
        let writes = cluster.writes().into_iter();
        writes
            .filter(|it| it.ends_with(&names::credentials_secret("acme")))
            .count()
    };
    let two = json!([{"name": "globex"}, {"name": "initech"}]);
    assert_eq!(writes_without(two).await, 2, "taken over, and applied");
    assert_eq!(
        cluster.secret(&names::credentials_secret("acme"), "umbrella"),
        None
    );
    let one = json!([{"name": "globex"}]);
    assert_eq!(writes_without(one).await, 1, "applied");
    assert_eq!(
        cluster.secret(&names::credentials_secret("acme"), "initech"),
        None
    );
    assert!(
        cluster
            .secret(&names::credentials_secret("acme"), "globex")
            .is_some()
    );
}

#[tokio::test]
async fn a_child_that_was_deleted_is_made_again() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    cluster.remove(SERVICE);
    cluster.settle().await;
    assert_eq!(cluster.get(SERVICE)["spec"]["ports"][0]["port"], 80);
    assert!(
        cluster
            .events()
            .iter()
            .any(|(_, note)| note.starts_with("created Service/acme-api"))
    );
}

#[tokio::test]
async fn an_object_with_the_name_of_a_child_that_is_not_the_tenants_is_refused_and_left_as_it_is() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    let theirs = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "acme-api", "namespace": "acme", "uid": "theirs"}, "spec": {"type": "ClusterIP"}});
    cluster.put(SERVICE, theirs);
    let before = cluster.get(SERVICE);
    cluster.reconcile().await.expect("it is the user's turn");
    assert_eq!(cluster.get(SERVICE), before);
    assert!(cluster.get(DEPLOYMENT).is_null(), "nothing runs half");
    let (status, reason, message) = cluster.condition(ConditionType::ApiAvailable);
    assert_eq!((&*status, &*reason), ("False", "NameTaken"));
    assert!(
        message.starts_with("Service acme-api exists and does not belong to this tenant"),
        "{message}"
    );
    cluster.remove(SERVICE);
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
}

//! The ways in from outside the cluster, which not every spec asks for.

use docket_crds::{ConditionType, annotations};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const INGRESS: &str = "/apis/networking.k8s.io/v1/namespaces/acme/ingresses/acme-api";
const DELETE: &str = "DELETE /apis/networking.k8s.io/v1/namespaces/acme/ingresses/acme-api";

async fn exposed(postgres: &Postgres) -> Cluster {
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.change(json!({"spec": {"api": {"ingress": {"host": "docs.example.com"}}}}));
    cluster.settle().await;
    assert_eq!(
        cluster.get(INGRESS)["spec"]["rules"][0]["host"],
        "docs.example.com"
    );
    cluster.show_ingress(INGRESS);
    cluster
}

#[tokio::test]
async fn what_the_spec_no_longer_asks_for_is_deleted_once_and_planned_before() {
    let postgres = Postgres::start();
    let cluster = exposed(&postgres).await;
    cluster.change(json!({"spec": {"api": {"ingress": null}},
        "metadata": {"annotations": {annotations::PLAN: "true"}}}));
    cluster.reconcile().await.expect("a plan");
    let plan = cluster.tenant().status.and_then(|status| status.plan);
    let changes = plan.expect("a plan").changes;
    let said = changes
        .iter()
        .map(|it| format!("{} {}", it.action, it.object));
    // What is exposed no more is for the namespace alone.
    let planned = ["update NetworkPolicy/acme-api", "delete Ingress/acme-api"];
    assert_eq!(said.collect::<Vec<_>>(), planned);
    assert!(!cluster.get(INGRESS).is_null());

    cluster.change(json!({"metadata": {"annotations": {annotations::PLAN: null}}}));
    cluster.forget_writes();
    // The watch still shows it: it is not deleted twice.
    for _ in 0..2 {
        cluster.reconcile().await.expect("it goes");
    }
    let deletes = cluster.writes().into_iter().filter(|write| write == DELETE);
    assert_eq!(deletes.count(), 1);
    assert!(cluster.get(INGRESS).is_null());
    assert!(
        cluster
            .events()
            .iter()
            .any(|(_, note)| note.contains("deleted Ingress/acme-api"))
    );
}

#[tokio::test]
async fn an_object_that_took_the_place_of_one_that_goes_is_left_alone() {
    let postgres = Postgres::start();
    let cluster = exposed(&postgres).await;
    let mut theirs = cluster.get(INGRESS);
    theirs["metadata"]["ownerReferences"] = Value::Null;
    theirs["metadata"]["uid"] = "theirs".into();
    cluster.put(INGRESS, theirs);
    cluster.change(json!({"spec": {"api": {"ingress": null}}}));
    cluster.settle().await;
    assert_eq!(cluster.get(INGRESS)["metadata"]["uid"], "theirs");
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
}

#[tokio::test]
async fn without_the_gateway_api_all_else_is_done_and_ready_says_what_is_missing() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    let route = json!({"parentRefs": [{"name": "public"}]});
    cluster.change(json!({"spec": {"api": {"httpRoute": route}}}));
    cluster.settle().await;
    let (status, reason, message) = cluster.condition(ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("False", "GatewayApiMissing"));
    assert!(message.contains("take spec.api.httpRoute out"), "{message}");
    assert_eq!(cluster.condition(ConditionType::ApiAvailable).0, "True");
    let told = cluster.events().into_iter();
    assert_eq!(
        told.filter(|(reason, _)| reason == "GatewayApiMissing")
            .count(),
        1
    );
    cluster.change(json!({"spec": {"api": {"httpRoute": null}}}));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
}

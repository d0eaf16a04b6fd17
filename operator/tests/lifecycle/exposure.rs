//! The ways in from outside the cluster, which not every spec asks for.

use docket_crds::{ConditionType, annotations};
use docket_operator::allowed::{Allowed, Pattern};
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

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    let parsed = texts.iter().map(|text| text.parse().expect("a pattern"));
    parsed.collect()
}

#[tokio::test]
async fn an_ingress_that_the_operator_does_not_allow_is_not_made_or_changed_and_all_else_is_done() {
    let postgres = Postgres::start();
    let mut cluster = exposed(&postgres).await;
    let before = cluster.get(INGRESS);
    cluster.bound_choices(Allowed {
        ingress_annotations: patterns(&["cert-manager.io/*"]),
        ingress_classes: patterns(&["public"]),
        ..Allowed::default()
    });
    cluster.change(json!({"spec": {"clients": [{"name": "globex"}, {"name": "initech"}], "api": {"ingress": {
        "className": "public", "annotations": {"nginx.ingress.kubernetes.io/server-snippet": "return 200;"}}}}}));
    cluster.settle().await;
    let (status, reason, message) = cluster.condition(ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("False", "IngressNotAllowed"));
    assert!(
        message.contains("nginx.ingress.kubernetes.io/server-snippet"),
        "{message}"
    );
    assert_eq!(
        cluster.get(INGRESS),
        before,
        "it is neither changed nor taken away"
    );
    assert_eq!(cluster.condition(ConditionType::ApiAvailable).0, "True");
    assert_eq!(cluster.tenant().status.expect("a status").clients.len(), 2);
    let told = cluster.events().into_iter();
    assert_eq!(
        told.filter(|(reason, _)| reason == "IngressNotAllowed")
            .count(),
        1
    );

    cluster.change(
        json!({"spec": {"api": {"ingress": {"className": "internal", "annotations": null}}}}),
    );
    cluster.settle().await;
    assert!(
        cluster
            .condition(ConditionType::Ready)
            .2
            .starts_with("Name a class")
    );
    cluster.change(json!({"spec": {"api": {"ingress": {"className": "public",
        "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"}}}}}));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    let annotations = &cluster.get(INGRESS)["metadata"]["annotations"];
    assert_eq!(annotations["cert-manager.io/cluster-issuer"], "letsencrypt");
}

#[tokio::test]
async fn an_image_that_the_operator_does_not_allow_runs_nowhere_and_what_runs_goes_on() {
    const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
    let postgres = Postgres::start();
    let mut cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.bound_choices(Allowed {
        images: patterns(&["registry.example.com/docket/*"]),
        ..Allowed::default()
    });
    cluster.settle().await;
    let before = cluster.get(DEPLOYMENT);
    for image in [
        json!({"api": {"image": "evil.example.com/docket/api"}}),
        json!({"api": {"image": null}, "telemetry": {"collector": {"image": "evil.example.com/collector"}}}),
    ] {
        cluster.change(json!({"spec": image}));
        cluster.settle().await;
        let (status, reason, message) = cluster.condition(ConditionType::Ready);
        assert_eq!((&*status, &*reason), ("False", "ImageNotAllowed"));
        assert_eq!(cluster.condition(ConditionType::ApiAvailable).0, "True");
        assert!(message.contains("evil.example.com"), "{message}");
        assert_eq!(cluster.get(DEPLOYMENT), before);
    }
    cluster.change(
        json!({"spec": {"api": {"image": "registry.example.com/docket/api:2"},
        "telemetry": {"collector": {"image": null}}}}),
    );
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    let containers = &cluster.get(DEPLOYMENT)["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["image"], "registry.example.com/docket/api:2");
}

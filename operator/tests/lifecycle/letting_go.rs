//! Data that is let go only when nobody can write to it any more, and that is not let go when it is not there or
//! must not be deleted.

use docket_crds::{ConditionType, annotations, labels};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};
use crate::workloads::deleting;

const DELETED: &str = "2026-11-29T12:00:00Z";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
const POD: &str = "/api/v1/namespaces/acme/pods/acme-api-1";

fn is_gone(cluster: &Cluster) -> bool {
    let finalizers = cluster.tenant().metadata.finalizers;
    finalizers.unwrap_or_default().is_empty()
}

fn pod(more: &Value, phase: &str) -> Value {
    let mut metadata = json!({"name": "acme-api-1", "namespace": "acme",
        "labels": {labels::TENANT: "acme", labels::COMPONENT: labels::API}});
    for (name, value) in more.as_object().expect("fields") {
        metadata[name] = value.clone();
    }
    json!({"metadata": metadata, "status": {"phase": phase}})
}

fn ending() -> Value {
    pod(&json!({"deletionTimestamp": DELETED}), "Running")
}

async fn delete(cluster: &Cluster) {
    cluster.change(json!({"metadata": {"deletionTimestamp": DELETED}}));
    for _ in 0..3 {
        cluster.reconcile().await.expect("it waits, or goes");
    }
}

#[tokio::test]
async fn a_client_keeps_its_data_while_a_pod_is_ending_that_no_count_speaks_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_postgres, objects, cluster, [globex, initech]) = deleting(&folder).await;
    cluster.put(POD, ending());
    cluster.change(json!({"spec": {"clients": [{"name": "initech"}]}}));
    cluster.settle().await;
    assert!(objects.has(&globex));
    assert_eq!(cluster.tenant().status.expect("a status").clients.len(), 2);

    cluster.remove(POD);
    cluster.settle().await;
    assert!(!objects.has(&globex) && objects.has(&initech));
    assert_eq!(cluster.tenant().status.expect("a status").clients.len(), 1);
}

#[tokio::test]
async fn documents_that_are_taken_out_stay_while_a_pod_is_ending_that_no_watch_brought() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_postgres, objects, cluster, schemas) = deleting(&folder).await;
    cluster.put(POD, ending());
    cluster.change(json!({"spec": {"workloads": {"documents": null, "pageViews": {}}}}));
    cluster.settle().await;
    assert!(schemas.iter().all(|schema| objects.has(schema)));
    cluster.remove(POD);
    cluster.settle().await;
    assert!(!schemas.iter().any(|schema| objects.has(schema)));
}

#[tokio::test]
async fn a_deleted_tenant_keeps_its_data_while_pods_run_that_no_deployment_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_postgres, objects, cluster, schemas) = deleting(&folder).await;
    // A namespace's end takes the Deployment first, and its pods in the background.
    cluster.remove(DEPLOYMENT);
    cluster.put(POD, ending());
    delete(&cluster).await;
    assert!(!is_gone(&cluster));
    assert!(schemas.iter().all(|schema| objects.has(schema)));

    cluster.put(POD, pod(&json!({}), "Succeeded"));
    cluster.reconcile().await.expect("it goes");
    assert!(
        is_gone(&cluster),
        "one that has run to its end writes no more"
    );
    assert!(!schemas.iter().any(|schema| objects.has(schema)));
}

#[tokio::test]
async fn a_deletion_that_finds_an_empty_database_says_so_and_waits_until_it_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, schemas) = deleting(&folder).await;
    postgres.run("CREATE DATABASE empty").await;
    let mut secret = postgres.secret("postgres", PASSWORD);
    secret[1].1 = "empty".into();
    cluster.put_secret("docket-database", &secret);
    delete(&cluster).await;
    let (status, reason, message) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!((&*status, &*reason), ("False", "SchemaLost"));
    assert!(message.contains(annotations::GIVE_UP), "{message}");
    assert!(!is_gone(&cluster));
    assert!(schemas.iter().all(|schema| objects.has(schema)));
    let told = |(event, _): &(String, String)| event == "SchemaLost";
    assert!(cluster.events().iter().any(told));

    let given_up = json!({annotations::GIVE_UP: schemas.join(", ")});
    cluster.change(json!({"metadata": {"annotations": given_up}}));
    cluster.reconcile().await.expect("it goes");
    assert!(is_gone(&cluster));
    assert!(
        schemas.iter().all(|schema| objects.has(schema)),
        "left as it is"
    );
}

#[tokio::test]
async fn a_deletion_that_comes_back_to_its_own_database_is_carried_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, schemas) = deleting(&folder).await;
    postgres.run("CREATE DATABASE empty").await;
    let mut secret = postgres.secret("postgres", PASSWORD);
    secret[1].1 = "empty".into();
    cluster.put_secret("docket-database", &secret);
    delete(&cluster).await;
    assert!(!is_gone(&cluster));
    cluster.put_secret("docket-database", &postgres.secret("postgres", PASSWORD));
    cluster.reconcile().await.expect("it goes");
    assert!(is_gone(&cluster));
    assert!(!schemas.iter().any(|schema| objects.has(schema)));
    let left = "SELECT count(*) FROM docket.clients";
    assert_eq!(postgres.number(left).await, 0);
}

#[tokio::test]
async fn clients_that_are_taken_out_wait_for_a_database_that_knows_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, schemas) = deleting(&folder).await;
    postgres.run("CREATE DATABASE empty").await;
    let mut secret = postgres.secret("postgres", PASSWORD);
    secret[1].1 = "empty".into();
    cluster.put_secret("docket-database", &secret);
    cluster.change(json!({"spec": {"clients": [{"name": "hooli"}]}}));
    for _ in 0..3 {
        cluster.reconcile().await.expect("it is the user's turn");
    }
    let (_, reason, message) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!(reason, "SchemaLost", "{message}");
    assert!(schemas.iter().all(|schema| objects.has(schema)));
    let known = cluster.tenant().status.expect("a status").clients;
    assert_eq!(known.len(), 3, "{known:?}");

    cluster.put_secret("docket-database", &postgres.secret("postgres", PASSWORD));
    cluster.change(json!({"spec": {"clients": [{"name": "globex"}]}}));
    cluster.settle().await;
    let [globex, initech] = &schemas;
    assert!(objects.has(globex) && !objects.has(initech));
}

#[tokio::test]
async fn content_stays_as_long_as_something_keeps_its_tables_from_being_dropped() {
    for change in [
        json!({"clients": [{"name": "initech"}]}),
        json!({"workloads": {"documents": null, "pageViews": {}}}),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let (postgres, objects, cluster, [globex, _]) = deleting(&folder).await;
        let view = format!("CREATE VIEW report AS SELECT * FROM {globex}.document_metadata");
        postgres.run(&view).await;
        cluster.change(json!({"spec": change}));
        for _ in 0..2 {
            let stuck = cluster.reconcile().await;
            stuck.expect_err("a view is in the way");
        }
        let (_, reason, message) = cluster.condition(ConditionType::DatabaseReady);
        assert_eq!(reason, "DependentObjects", "{message}");
        assert!(objects.has(&globex), "{change}");

        postgres.run("DROP VIEW report").await;
        cluster.settle().await;
        assert!(!objects.has(&globex), "{change}");
    }
}

/// Puts a document under legal hold into the schema `schema`.
async fn hold(postgres: &Postgres, schema: &str) {
    postgres
        .run(&format!(
            "INSERT INTO {schema}.document_metadata (filename, file_size, file_type, content_key, sha256, legal_hold) \
             VALUES ('held', 1, 'text/plain', gen_random_uuid(), sha256('held'), true)"
        ))
        .await;
}

#[tokio::test]
async fn a_client_with_documents_under_legal_hold_is_retained_whatever_the_policy_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, [globex, initech]) = deleting(&folder).await;
    hold(&postgres, &globex).await;
    cluster.change(json!({"spec": {"clients": [{"name": "hooli"}]}}));
    cluster.settle().await;
    assert!(objects.has(&globex) && !objects.has(&initech));
    let retained = format!(
        "SELECT count(*) FROM docket.clients WHERE schema_name = '{globex}' AND state = 'Retained'"
    );
    assert_eq!(postgres.number(&retained).await, 1);
    let events = cluster.events();
    let told: Vec<_> = events.iter().filter(|(it, _)| it == "LegalHold").collect();
    assert_eq!(told.len(), 1, "{events:?}");
    assert!(told[0].1.contains("client globex"), "{told:?}");
}

#[tokio::test]
async fn a_deleted_tenant_leaves_the_clients_with_documents_under_legal_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, [globex, initech]) = deleting(&folder).await;
    hold(&postgres, &initech).await;
    delete(&cluster).await;
    assert!(is_gone(&cluster));
    assert!(!objects.has(&globex) && objects.has(&initech));
    let held = format!("SELECT count(*) FROM {initech}.document_metadata WHERE legal_hold");
    assert_eq!(postgres.number(&held).await, 1);
}

#[tokio::test]
async fn documents_that_are_taken_out_stay_as_long_as_one_is_under_legal_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, [globex, initech]) = deleting(&folder).await;
    hold(&postgres, &globex).await;
    cluster.change(json!({"spec": {"workloads": {"documents": null, "pageViews": {}}}}));
    for _ in 0..3 {
        cluster.reconcile().await.expect("it is the user's turn");
    }
    let (_, reason, message) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!(reason, "LegalHold", "{message}");
    assert!(objects.has(&globex) && !objects.has(&initech));
}

//! Workloads that come and go. That a tenant names one at least, the API server sees to.

use docket_contract::ContentOwner;
use docket_crds::{ConditionType, WorkloadStatus};
use docket_fault_matrix::{BUCKET, KEY, ObjectStore};
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
const S3_SECRET: &str = "/api/v1/namespaces/acme/secrets/docket-s3";

/// `usage`, `audit_log`, `idempotency_keys`, `maintenance_tasks`, `schema_migrations`.
const PLATFORM_TABLES: i64 = 5;

fn workloads(cluster: &Cluster) -> Vec<WorkloadStatus> {
    cluster.tenant().status.expect("a status").workloads
}

/// Takes documents out, and the Secret of their bucket with them.
async fn without_documents(cluster: &Cluster) {
    cluster.change(json!({"spec": {"workloads": {"documents": null}}}));
    cluster.remove(S3_SECRET);
    cluster.settle().await;
}

async fn tables(postgres: &Postgres) -> i64 {
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname LIKE 'acme_globex%' \
               AND tablename = 'document_metadata'";
    postgres.number(sql).await
}

/// Of all clients.
async fn all_tables(postgres: &Postgres) -> i64 {
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname LIKE 'acme_%'";
    postgres.number(sql).await
}

/// Rows of what the first client is counted in.
async fn counters(postgres: &Postgres) -> i64 {
    let sql = "SELECT (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.usage', schema_name), \
               false, true, '')))[1]::text::bigint FROM docket.clients ORDER BY schema_name LIMIT 1";
    postgres.number(sql).await
}

fn s3_secret(key: &str) -> [(&'static str, String); 2] {
    [
        ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", key.to_owned()),
    ]
}

#[tokio::test]
async fn documents_have_a_line_on_the_status_that_a_steady_tenant_does_not_write_again() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.hold_pods(true);
    cluster.settle().await;
    let line = |ready, message: &str| WorkloadStatus {
        name: "documents".into(),
        schema_version: docket_schema::latest_version("documents"),
        ready,
        message: message.into(),
    };
    assert_eq!(workloads(&cluster), [line(false, "No pod serves it.")]);
    cluster.hold_pods(false);
    cluster.settle().await;
    assert_eq!(workloads(&cluster), [line(true, "1 client is served.")]);
    cluster.forget_writes();
    cluster.reconcile().await.expect("steady");
    assert_eq!(cluster.writes(), [""; 0]);
}

#[tokio::test]
async fn documents_that_cannot_be_had_yet_say_what_they_wait_for() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.remove(S3_SECRET);
    cluster.reconcile().await.expect("it is the user's turn");
    let lines = workloads(&cluster);
    assert_eq!(lines.len(), 1);
    let sentence = "Create the Secret docket-s3 in namespace acme: \
                    spec.workloads.documents.storage.s3.secretRef names it.";
    assert_eq!((lines[0].ready, &*lines[0].message), (false, sentence));
}

#[tokio::test]
async fn a_tenant_without_documents_needs_no_bucket_and_keeps_their_tables() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    assert!(cluster.get(DEPLOYMENT).to_string().contains("docket-s3"));
    without_documents(&cluster).await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert!(!cluster.get(DEPLOYMENT).to_string().contains("docket-s3"));
    let file = cluster.secret("acme-api", "tenant.json").expect("a file");
    assert!(file.contains(r#""workloads":{}"#), "{file}");
    assert_eq!(workloads(&cluster), []);
    assert_eq!(tables(&postgres).await, 1);
}

#[tokio::test]
async fn a_client_has_the_tables_of_documents_only_once_its_tenant_runs_them() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    let documents = cluster.tenant().spec.workloads.documents;
    cluster.change(json!({"spec": {"workloads": {"documents": null}}}));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert_eq!(all_tables(&postgres).await, PLATFORM_TABLES);
    assert_eq!(counters(&postgres).await, 0);

    cluster.change(json!({"spec": {"workloads": {"documents": documents}}}));
    cluster.settle().await;
    assert_eq!(workloads(&cluster).len(), 1);
    assert_eq!(all_tables(&postgres).await, PLATFORM_TABLES + 4);
    assert_eq!(counters(&postgres).await, 32);
}

#[tokio::test]
async fn documents_that_come_back_find_their_tables_and_need_their_bucket() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    let documents = cluster.tenant().spec.workloads.documents;
    let mut elsewhere = documents.clone().expect("documents");
    elsewhere.storage.s3.bucket = "elsewhere".into();
    without_documents(&cluster).await;
    cluster.put_secret("docket-s3", &s3_secret("key"));
    cluster.change(json!({"spec": {"workloads": {"documents": elsewhere}}}));
    cluster.reconcile().await.expect("it is the user's turn");
    let (_, reason, message) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!(reason, "ContentElsewhere");
    assert!(message.contains("in the bucket acme"), "{message}");

    cluster.change(json!({"spec": {"workloads": {"documents": documents}}}));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert_eq!(tables(&postgres).await, 1);
}

/// A tenant with two clients that have content, all of which goes with those whose it is.
pub async fn deleting(folder: &tempfile::TempDir) -> (Postgres, ObjectStore, Cluster, [String; 2]) {
    let objects = ObjectStore::start(folder.path()).expect("a server");
    let postgres = Postgres::start();
    let clients = ["globex", "initech"];
    let cluster = Cluster::new(&clients, &postgres.secret("postgres", PASSWORD));
    cluster.put_secret("docket-s3", &s3_secret(KEY));
    cluster.change(json!({"spec": {"database": {"deletionPolicy": "Delete"},
        "workloads": {"documents": {"storage": {"s3": {"bucket": BUCKET, "endpoint": objects.endpoint()}}}}}}));
    cluster.settle().await;
    let status = cluster.tenant().status.expect("a status");
    let schemas = [0, 1].map(|client| status.clients[client].schema.clone());
    let owner = ContentOwner::new(&postgres.name_of_itself().await, "u");
    for schema in &schemas {
        objects.put_owner(schema, &owner).expect("stored");
        objects.put(schema).expect("stored");
    }
    objects.listens().await.expect("a server");
    (postgres, objects, cluster, schemas)
}

#[tokio::test]
async fn documents_that_are_taken_out_go_from_the_bucket_and_the_database_once_no_pod_serves_them()
{
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, schemas) = deleting(&folder).await;
    cluster.hold_pods(true);
    cluster.change(json!({"spec": {"workloads": {"documents": null}}}));
    cluster.settle().await;
    assert!(schemas.iter().all(|schema| objects.has(schema)));
    assert_eq!(tables(&postgres).await, 1, "pods may still serve them");

    cluster.hold_pods(false);
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert!(!schemas.iter().any(|schema| objects.has(schema)));
    assert_eq!(all_tables(&postgres).await, 2 * PLATFORM_TABLES);
    assert_eq!(counters(&postgres).await, 0);
    let told = format!("deleted tables of documents of schema {}", schemas[0]);
    let events = cluster.events();
    assert!(
        events.iter().any(|(_, note)| note.contains(&told)),
        "{events:?}"
    );
}

#[tokio::test]
async fn documents_that_cannot_be_deleted_say_what_is_missing_and_keep_their_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, schemas) = deleting(&folder).await;
    cluster.change(json!({"spec": {"workloads": {"documents": null}}}));
    cluster.remove(S3_SECRET);
    for _ in 0..2 {
        cluster.reconcile().await.expect("it is the user's turn");
    }
    let (_, reason, message) = cluster.condition(ConditionType::CredentialsReady);
    assert_eq!(reason, "SecretNotFound");
    assert!(message.contains("Create the Secret docket-s3"), "{message}");
    assert_eq!(tables(&postgres).await, 1);
    cluster.put_secret("docket-s3", &s3_secret(KEY));
    cluster.settle().await;
    assert!(!schemas.iter().any(|schema| objects.has(schema)));
    assert_eq!(tables(&postgres).await, 0);
}

#[tokio::test]
async fn what_documents_left_in_the_bucket_goes_with_the_clients_and_the_tenant() {
    let folder = tempfile::tempdir().expect("a folder");
    let (postgres, objects, cluster, [globex, initech]) = deleting(&folder).await;
    // Taken out while data was to be kept.
    cluster.change(json!({"spec": {"database": {"deletionPolicy": "Retain"}, "workloads": {"documents": null}}}));
    cluster.settle().await;
    assert!(objects.has(&globex) && objects.has(&initech));
    let left = "SELECT count(*) FROM docket.clients";
    cluster.change(
        json!({"metadata": {"deletionTimestamp": "2026-11-28T12:00:00Z"},
        "spec": {"database": {"deletionPolicy": "Delete"}}}),
    );
    for _ in 0..2 {
        cluster.reconcile().await.expect("it goes");
    }
    assert_eq!(postgres.number(left).await, 0);
    assert!(!objects.has(&globex) && !objects.has(&initech));
    let finalizers = cluster.tenant().metadata.finalizers.unwrap_or_default();
    assert_eq!(finalizers, [""; 0]);
}

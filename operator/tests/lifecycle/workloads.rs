//! Workloads that come and go. That a tenant names one at least, the API server sees to.

use docket_crds::{ConditionType, WorkloadStatus};
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
const S3_SECRET: &str = "/api/v1/namespaces/acme/secrets/docket-s3";

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
async fn clients_of_a_tenant_without_documents_go_without_a_bucket() {
    let postgres = Postgres::start();
    let clients = ["globex", "initech"];
    let cluster = Cluster::new(&clients, &postgres.secret("postgres", PASSWORD));
    cluster.change(json!({"spec": {"database": {"deletionPolicy": "Delete"}}}));
    cluster.settle().await;
    without_documents(&cluster).await;
    let left = "SELECT count(*) FROM docket.clients";
    cluster.change(json!({"spec": {"clients": [{"name": "globex"}]}}));
    cluster.settle().await;
    assert_eq!(postgres.number(left).await, 1);
    cluster.change(json!({"metadata": {"deletionTimestamp": "2026-11-28T12:00:00Z"}}));
    for _ in 0..2 {
        cluster.reconcile().await.expect("it goes");
    }
    assert_eq!(postgres.number(left).await, 0);
    let finalizers = cluster.tenant().metadata.finalizers.unwrap_or_default();
    assert_eq!(finalizers, [""; 0]);
}

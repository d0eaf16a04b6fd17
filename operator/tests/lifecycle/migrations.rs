//! Schemas that are brought to another version, and those that cannot be.

use std::time::Duration;

use docket_crds::ConditionType;
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

/// The migration that makes an index outside of transactions.
const INDEX: &str = "document_metadata_tags";

async fn ready() -> (Postgres, Cluster) {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    (postgres, cluster)
}

fn schema(cluster: &Cluster) -> String {
    let status = cluster.tenant().status.expect("a status");
    status.clients[0].schema.clone()
}

/// A client that is in use since before the index came, of which nothing is there yet.
async fn before_the_index() -> (Postgres, Cluster, String) {
    let (postgres, cluster) = ready().await;
    let schema = schema(&cluster);
    let before = format!(
        "SET search_path = {schema}; DROP INDEX {INDEX}; DROP TABLE unnamed_content; \
         DELETE FROM schema_migrations WHERE workload = 'documents' AND version >= 2"
    );
    postgres.run(&before).await;
    (postgres, cluster, schema)
}

async fn valid_indexes(postgres: &Postgres) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM pg_index WHERE indexrelid::regclass::text LIKE '%{INDEX}' AND indisvalid"
    );
    postgres.number(&sql).await
}

async fn recorded(postgres: &Postgres, schema: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM {schema}.schema_migrations WHERE workload = 'documents' AND version = 2"
    );
    postgres.number(&sql).await
}

/// Waits until `sql` is true.
async fn eventually(postgres: &Postgres, sql: &str) {
    let number = format!("SELECT ({sql})::int::bigint");
    let reached = async {
        while postgres.number(&number).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(60), reached).await;
    reached.unwrap_or_else(|_| panic!("never so: {sql}"));
}

const BUILDS: &str = "EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%CONCURRENTLY IF NOT EXISTS%' \
                      AND state = 'active' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid())";

/// A session in the middle of a change of the table, for which an index that is made concurrently waits.
async fn hold(postgres: &Postgres, schema: &str) -> sqlx::PgConnection {
    let mut holder = postgres.login("postgres", PASSWORD).await.expect("a login");
    let sql = format!(
        "BEGIN; DELETE FROM {schema}.document_metadata; LOCK TABLE {schema}.document_metadata IN ROW EXCLUSIVE MODE"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(&mut holder)
        .await
        .expect("held");
    holder
}

#[tokio::test]
async fn an_index_that_a_crash_left_in_the_middle_is_made_anew() {
    let (postgres, cluster, schema) = before_the_index().await;
    let holder = hold(&postgres, &schema).await;
    let killed = async {
        eventually(&postgres, BUILDS).await;
        postgres
            .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%CONCURRENTLY IF NOT EXISTS%' AND pid <> pg_backend_pid()")
            .await;
    };
    let (attempt, ()) = tokio::join!(cluster.reconcile(), killed);
    assert!(attempt.expect_err("it was killed").is_transient());
    let left = format!(
        "SELECT count(*) FROM pg_index WHERE indexrelid::regclass::text LIKE '%{INDEX}' AND NOT indisvalid"
    );
    assert_eq!(postgres.number(&left).await, 1, "half an index");
    assert_eq!(recorded(&postgres, &schema).await, 0);
    assert_eq!(cluster.condition(ConditionType::ApiAvailable).0, "True");

    drop(holder);
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    assert_eq!(valid_indexes(&postgres).await, 1);
    assert_eq!(postgres.number(&left).await, 0);
    assert_eq!(recorded(&postgres, &schema).await, 1);
}

#[tokio::test]
async fn an_index_that_was_made_and_not_noted_is_only_noted() {
    let (postgres, cluster, schema) = before_the_index().await;
    let made = format!(
        "CREATE INDEX {INDEX} ON {schema}.document_metadata USING gin (tags) WHERE tags <> '{{}}'"
    );
    postgres.run(&made).await;
    let oid = format!("SELECT '{schema}.{INDEX}'::regclass::oid::bigint");
    let before = postgres.number(&oid).await;
    cluster.settle().await;
    assert_eq!(postgres.number(&oid).await, before);
    assert_eq!(recorded(&postgres, &schema).await, 1);
}

#[tokio::test]
async fn an_index_that_takes_longer_than_anybody_waits_is_made_all_the_same_and_by_one_alone() {
    let (postgres, mut cluster) = ready().await;
    cluster.give_up_after(Duration::from_secs(1));
    let schema = schema(&cluster);
    let before = format!(
        "SET search_path = {schema}; DROP INDEX {INDEX}; DROP TABLE unnamed_content; \
         DELETE FROM schema_migrations WHERE workload = 'documents' AND version >= 2"
    );
    postgres.run(&before).await;
    let holder = hold(&postgres, &schema).await;
    for _ in 0..2 {
        let error = cluster.reconcile().await.expect_err("it takes longer");
        assert_eq!(error.problem().reason, "MigrationUnderWay", "{error}");
    }
    let builders = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%CONCURRENTLY IF NOT EXISTS%' \
                    AND state = 'active' AND pid <> pg_backend_pid()";
    assert_eq!(postgres.number(builders).await, 1);
    drop(holder);
    let noted = format!(
        "SELECT EXISTS (SELECT FROM {schema}.schema_migrations WHERE workload = 'documents' AND version = 2)"
    );
    eventually(&postgres, &noted).await;
    cluster.settle().await;
    assert_eq!(valid_indexes(&postgres).await, 1);
}

#[tokio::test]
async fn a_schema_whose_migration_is_not_what_it_was_is_left_alone_and_the_file_is_named() {
    let (postgres, cluster) = ready().await;
    let schema = schema(&cluster);
    let changed = format!(
        "UPDATE {schema}.schema_migrations SET checksum = 'x' WHERE workload = 'documents' AND version = 1"
    );
    postgres.run(&changed).await;
    cluster.reconcile().await.expect("it is the user's turn");
    let (status, reason, message) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!((&*status, &*reason), ("False", "MigrationChanged"));
    let file = "schema/migrations/documents/0001_documents.sql";
    assert!(message.contains(file), "{message}");
    assert_eq!(cluster.condition(ConditionType::ApiAvailable).0, "True");
    // Who does not use the tables is not concerned.
    cluster.change(json!({"spec": {"workloads": {"documents": null}}}));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
}

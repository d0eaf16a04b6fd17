//! Databases that are not as they should be, and their way back.

use docket_crds::{ConditionType, annotations, names};
use serde_json::json;

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";

/// An administrator as the documentation asks for one: no superuser.
const ADMIN: &str = "CREATE ROLE admin LOGIN CREATEROLE PASSWORD 'first';
    GRANT CREATE ON DATABASE postgres TO admin;";

async fn ready() -> (Postgres, Cluster) {
    let postgres = Postgres::start();
    postgres.run(ADMIN).await;
    let cluster = Cluster::new(&["globex"], &postgres.secret("admin", "first"));
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
    (postgres, cluster)
}

/// Reconciles against a database that is out of order, and expects to be told so.
async fn expect(cluster: &Cluster, reason: &str, sentence: &str) {
    let error = cluster.reconcile().await.expect_err(reason);
    assert!(error.is_transient(), "it is tried again: {error}");
    for type_ in [ConditionType::Ready, ConditionType::DatabaseReady] {
        let (status, found, message) = cluster.condition(type_);
        assert_eq!((&*status, &*found), ("False", reason), "{type_}: {message}");
        assert!(message.contains(sentence), "{message}");
    }
    assert_eq!(
        cluster.condition(ConditionType::ApiAvailable).0,
        "True",
        "what runs goes on"
    );
}

async fn expect_ready(cluster: &Cluster) {
    cluster.settle().await;
    assert_eq!(cluster.condition(ConditionType::Ready).0, "True");
}

#[tokio::test]
async fn a_database_that_is_down_is_named_so_and_used_again_when_it_is_back() {
    let (postgres, cluster) = ready().await;
    postgres.stop();
    expect(&cluster, "DatabaseUnavailable", "that the server runs").await;
    postgres.resume();
    expect_ready(&cluster).await;
}

#[tokio::test]
async fn a_database_that_takes_no_changes_is_named_so_even_if_none_is_needed() {
    let (postgres, cluster) = ready().await;
    postgres
        .run("ALTER DATABASE postgres SET default_transaction_read_only = on")
        .await;
    postgres
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'admin'")
        .await;
    expect(
        &cluster,
        "DatabaseReadOnly",
        "point the Secret at the primary",
    )
    .await;
    postgres
        .run(
            "BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT",
        )
        .await;
    postgres
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'admin'")
        .await;
    expect_ready(&cluster).await;
}

#[tokio::test]
async fn a_database_at_its_connection_limit_is_named_so() {
    let (postgres, cluster) = ready().await;
    postgres.run("ALTER ROLE admin CONNECTION LIMIT 0").await;
    postgres
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'admin'")
        .await;
    expect(
        &cluster,
        "TooManyConnections",
        "too many connections for role \"admin\"",
    )
    .await;
    postgres.run("ALTER ROLE admin CONNECTION LIMIT -1").await;
    expect_ready(&cluster).await;
}

#[tokio::test]
async fn rotated_credentials_of_the_administrator_are_used_as_soon_as_the_secret_has_them() {
    let (postgres, cluster) = ready().await;
    let before = cluster.get(DEPLOYMENT);
    postgres.run("ALTER ROLE admin PASSWORD 'second'").await;
    postgres
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'admin'")
        .await;
    expect(
        &cluster,
        "AuthenticationFailed",
        "Check username and password",
    )
    .await;
    cluster.put_secret("docket-database", &postgres.secret("admin", "second"));
    expect_ready(&cluster).await;
    assert_eq!(
        cluster.get(DEPLOYMENT),
        before,
        "no pod has these credentials"
    );
}

#[tokio::test]
async fn another_secret_that_names_the_same_database_restarts_nothing() {
    let (postgres, cluster) = ready().await;
    let before = cluster.get(DEPLOYMENT);
    cluster.put_secret("other", &postgres.secret("postgres", PASSWORD));
    cluster.change(json!({"spec": {"database": {"secretRef": {"name": "other"}}}}));
    expect_ready(&cluster).await;
    assert_eq!(cluster.get(DEPLOYMENT), before);
}

#[tokio::test]
async fn another_database_without_the_documents_is_refused_and_the_way_back_is_open() {
    let (postgres, cluster) = ready().await;
    postgres.run("CREATE DATABASE empty").await;
    let mut secret = postgres.secret("postgres", PASSWORD);
    secret[1].1 = "empty".into();
    cluster.put_secret("other", &secret);
    cluster.change(json!({"spec": {"database": {"secretRef": {"name": "other"}}}}));
    cluster.reconcile().await.expect("it is the user's turn");
    let (status, reason, _) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!((&*status, &*reason), ("False", "SchemaLost"));
    cluster.change(json!({"spec": {"database": {"secretRef": {"name": "docket-database"}}}}));
    expect_ready(&cluster).await;
}

#[tokio::test]
async fn an_administrator_without_the_rights_or_the_database_is_told_what_lacks() {
    let postgres = Postgres::start();
    postgres
        .run("CREATE ROLE admin LOGIN PASSWORD 'first'")
        .await;
    let mut secret = postgres.secret("admin", "first");
    let cluster = Cluster::new(&["globex"], &secret);
    cluster.reconcile().await.expect_err("no rights");
    assert_eq!(
        cluster.condition(ConditionType::DatabaseReady).1,
        "PermissionDenied"
    );
    secret[1].1 = "missing".into();
    cluster.put_secret("docket-database", &secret);
    cluster.reconcile().await.expect_err("no database");
    assert_eq!(
        cluster.condition(ConditionType::DatabaseReady).1,
        "DatabaseNotFound"
    );
}

#[tokio::test]
async fn a_server_that_came_back_empty_is_said_to_have_lost_the_schemas_and_serves_new_tenants() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    let status = cluster.tenant().status.expect("a status");
    let schema = &status.clients[0].schema;
    postgres
        .run(&format!(
            "DROP SCHEMA {schema} CASCADE; DROP ROLE {schema}; DROP SCHEMA docket CASCADE"
        ))
        .await;
    cluster.reconcile().await.expect_err("no registry");
    cluster.reconcile().await.expect("it is the user's turn");
    assert_eq!(
        cluster.condition(ConditionType::DatabaseReady).1,
        "SchemaLost"
    );
    // Who is taken out is not forgotten on the way: what became of its data, somebody says.
    cluster.change(json!({"spec": {"clients": [{"name": "initech"}]}}));
    for _ in 0..2 {
        cluster.reconcile().await.expect("it is the user's turn");
    }
    assert_eq!(
        cluster.condition(ConditionType::DatabaseReady).1,
        "SchemaLost"
    );
    let given_up = json!({annotations::GIVE_UP: schema});
    cluster.change(json!({"metadata": {"annotations": given_up}}));
    expect_ready(&cluster).await;
}

/// As docs/operations.md says.
#[tokio::test]
async fn a_schema_that_was_lost_and_restored_with_its_row_is_served_again_under_a_working_login() {
    let postgres = Postgres::start();
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.settle().await;
    let schema = cluster
        .tenant()
        .status
        .expect("a status")
        .clients
        .remove(0)
        .schema;
    let file = |name: &str| format!("{}/{name}", postgres.folder().display());
    let (dump, row) = (file("schema.sql"), file("row.copy"));
    let option = |name: &str, value: &str| format!("--{name}={value}");
    postgres.tool(
        "pg_dump",
        &[
            "--no-owner",
            "--no-privileges",
            &option("schema", &schema),
            &option("file", &dump),
        ],
    );
    let whose = "SELECT * FROM docket.clients WHERE namespace = 'acme' AND tenant = 'acme'";
    postgres.tool("psql", &["-c", &format!("\\copy ({whose}) TO '{row}'")]);

    cluster.change(json!({"spec": {"paused": true}}));
    cluster.settle().await;
    postgres
        .run(&format!(
            "DROP SCHEMA {schema} CASCADE; DROP ROLE {schema}; DELETE FROM docket.clients"
        ))
        .await;
    cluster.change(json!({"spec": {"paused": false}}));
    cluster.reconcile().await.expect("it is the user's turn");
    assert_eq!(
        cluster.condition(ConditionType::DatabaseReady).1,
        "SchemaLost"
    );
    postgres.tool("psql", &[&option("file", &dump)]);
    cluster.reconcile().await.expect("it is the user's turn");
    assert_eq!(
        cluster.condition(ConditionType::DatabaseReady).1,
        "SchemaNotOurs"
    );
    postgres.tool(
        "psql",
        &["-c", &format!("\\copy docket.clients FROM '{row}'")],
    );
    expect_ready(&cluster).await;
    let password = cluster
        .secret(&names::credentials_secret("acme"), "globex")
        .expect("a password");
    let mut login = postgres.login(&schema, &password).await.expect("a login");
    let read = sqlx::query("SELECT count(*) FROM document_metadata");
    read.execute(&mut login).await.expect("its rows");
}

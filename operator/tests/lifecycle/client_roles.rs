//! What who has a client's login can do to the operator and to others, in each version of Postgres.

use std::time::{Duration, Instant};

use docket_contract::TenantConfig;
use docket_crds::{ConditionType, annotations};
use docket_testing_support::PostgresSetup;
use secrecy::ExposeSecret as _;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::cluster::Cluster;
use crate::postgres::{Postgres, each_version};

/// An administrator as the documentation asks for one: no superuser.
const ADMIN: &str = "CREATE ROLE admin LOGIN CREATEROLE PASSWORD 'first';
    GRANT CREATE ON DATABASE postgres TO admin;";

async fn serving(postgres: &Postgres, clients: &[&str]) -> Cluster {
    postgres.run(ADMIN).await;
    let cluster = Cluster::new(clients, &postgres.secret("admin", "first"));
    cluster.settle().await;
    cluster
}

/// Role, password and schema of `client`, as its pods have them.
struct Login {
    role: String,
    password: String,
    schema: String,
}

impl Login {
    fn of(cluster: &Cluster, client: &str) -> Self {
        let file = cluster.secret("acme-api", "tenant.json").expect("a file");
        let config: TenantConfig = serde_json::from_str(&file).expect("a configuration");
        let mut clients = config.clients.into_iter();
        let client = clients.find(|it| it.name == client).expect("the client");
        Self {
            role: client.role,
            password: client.password.expose_secret().to_owned(),
            schema: client.schema,
        }
    }

    async fn session(&self, postgres: &Postgres) -> sqlx::Result<PgConnection> {
        postgres.login(&self.role, &self.password).await
    }
}

async fn run(session: &mut PgConnection, sql: impl Into<String>) -> sqlx::Result<()> {
    let sql = AssertSqlSafe(sql.into());
    sqlx::raw_sql(sql).execute(session).await.map(drop)
}

fn take_out(cluster: &Cluster, remaining: &str) {
    cluster.change(json!({"spec": {"clients": [{"name": remaining}]}}));
}

#[tokio::test]
async fn whatever_a_client_locks_the_operator_rotates_and_removes_others() {
    for postgres in each_version() {
        let cluster = serving(&postgres, &["globex", "initech"]).await;
        let (thief, victim) = (
            Login::of(&cluster, "globex"),
            Login::of(&cluster, "initech"),
        );
        let mut session = thief.session(&postgres).await.expect("a session");
        // Every advisory lock that has a name of ours.
        for name in ["docket", &victim.schema, &thief.schema] {
            for prefix in ["", "docket:", "docket-migration:", "migration:"] {
                let lock = format!(
                    "SELECT pg_advisory_lock(hashtextextended('{prefix}{name}', 0)), pg_advisory_lock(hashtext('{name}'))"
                );
                run(&mut session, lock).await.expect("a lock");
            }
        }
        for refused in [
            "LOCK TABLE docket.locks",
            "SELECT FROM docket.locks FOR UPDATE",
            "INSERT INTO docket.locks VALUES ('x')",
            "LOCK TABLE docket.clients",
        ] {
            run(&mut session, refused).await.expect_err(refused);
        }
        run(&mut session, "BEGIN; LOCK TABLE document_metadata")
            .await
            .expect("its own");
        let start = Instant::now();
        cluster.change(json!({"metadata": {"annotations": {annotations::ROTATE: "now"}}}));
        cluster.reconcile().await.expect("a rotation");
        take_out(&cluster, "globex");
        cluster.settle().await;
        assert!(start.elapsed() < Duration::from_secs(30), "it waited");
        assert!(victim.session(&postgres).await.is_err(), "it is removed");
    }
}

#[tokio::test]
async fn whoever_locks_the_tables_of_one_client_keeps_no_other_from_being_made() {
    let postgres = Postgres::start();
    postgres.run(ADMIN).await;
    let mut cluster = Cluster::new(&["globex"], &postgres.secret("admin", "first"));
    cluster.give_up_after(Duration::from_secs(2));
    cluster.settle().await;
    let thief = Login::of(&cluster, "globex");
    let mut session = thief.session(&postgres).await.expect("a session");
    run(&mut session, "BEGIN; LOCK TABLE document_metadata")
        .await
        .expect("its own");
    // The index has to wait for that.
    let before = format!(
        "DELETE FROM {}.schema_migrations WHERE workload = 'documents' AND version = 2",
        thief.schema
    );
    postgres.run(&before).await;
    cluster.change(json!({"spec": {"clients": [{"name": "globex"}, {"name": "initech"}]}}));
    cluster.reconcile().await.expect_err("one is not done");
    let made = "SELECT count(*) FROM docket.clients WHERE client = 'initech'";
    assert_eq!(postgres.number(made).await, 1);
}

#[tokio::test]
async fn a_client_cannot_take_the_connections_of_others_and_a_small_server_is_told() {
    let postgres = Postgres::made(&PostgresSetup {
        settings: &["fsync=off", "max_connections=40"],
        ..PostgresSetup::default()
    });
    let cluster = serving(&postgres, &["globex", "initech"]).await;
    let (status, reason, message) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!((&*status, &*reason), ("True", "ServerTooSmall"));
    assert!(message.contains("180 are there for all"), "{message}");
    let thief = Login::of(&cluster, "globex");
    let mut sessions = Vec::new();
    while let Ok(session) = thief.session(&postgres).await {
        sessions.push(session);
    }
    assert_eq!(sessions.len(), 12, "a third of those that there are");
    let other = Login::of(&cluster, "initech").session(&postgres).await;
    other.expect("a session of another");
    cluster.change(json!({"metadata": {"annotations": {annotations::ROTATE: "now"}}}));
    cluster.settle().await;
}

#[tokio::test]
async fn a_client_may_hold_as_many_connections_as_its_pods_open() {
    let postgres = Postgres::made(&PostgresSetup {
        settings: &["fsync=off", "max_connections=1000"],
        ..PostgresSetup::default()
    });
    let cluster = serving(&postgres, &["globex"]).await;
    let limit = format!(
        "SELECT rolconnlimit::bigint FROM pg_roles WHERE rolname = '{}'",
        Login::of(&cluster, "globex").role
    );
    for (spec, connections) in [
        (json!({"replicas": 1}), 60),
        (json!({"replicas": 12}), 260),
        (json!({"replicas": 2}), 260),
        (
            json!({"replicas": null, "autoscaling": {"minReplicas": 2, "maxReplicas": 14}}),
            300,
        ),
        (json!({"autoscaling": {"maxReplicas": 50}}), 332),
    ] {
        cluster.change(json!({"spec": {"api": spec}}));
        cluster.settle().await;
        assert_eq!(postgres.number(&limit).await, connections, "{spec}");
    }
    assert_eq!(
        cluster.condition(ConditionType::DatabaseReady).1,
        "ServerTooSmall"
    );
    // As before a release that knew another limit, or by hand.
    for limited in ["-1", "900", "1"] {
        let role = Login::of(&cluster, "globex").role;
        let sql = format!("ALTER ROLE {role} CONNECTION LIMIT {limited}");
        postgres.run(&sql).await;
        cluster.settle().await;
        assert_eq!(postgres.number(&limit).await, 332, "{limited}");
    }
}

//! What who has a client's login can do to the operator and to others, in each version of Postgres.

use std::time::{Duration, Instant};

use docket_contract::TenantConfig;
use docket_crds::{ConditionType, annotations, names};
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
async fn whatever_a_client_locks_the_operator_rotates_removes_others_and_revokes_it() {
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
        let start = Instant::now();
        cluster.change(json!({"metadata": {"annotations": {annotations::ROTATE: "now"}}}));
        cluster.settle().await;
        run(&mut session, "BEGIN; LOCK TABLE document_metadata")
            .await
            .expect("its own");
        take_out(&cluster, "globex");
        cluster.settle().await;
        // What it locks of its own is no longer locked once its logins are revoked.
        cluster.change(json!({"metadata": {"annotations": {annotations::REVOKE: "now"}}}));
        cluster.settle().await;
        assert!(start.elapsed() < Duration::from_secs(40), "it waited");
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
        "DELETE FROM {}.schema_migrations WHERE workload = 'documents' AND version > 1",
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

/// The tenant of a client that goes with its data, and of another that stays; what is on the wall cannot be deleted
/// without a bucket, so neither has documents.
async fn deleting(postgres: &Postgres) -> Cluster {
    postgres.run(ADMIN).await;
    let cluster = Cluster::new(&["globex", "initech"], &postgres.secret("admin", "first"));
    cluster.change(json!({"spec": {"database": {"deletionPolicy": "Delete"},
        "workloads": {"documents": null, "pageViews": {}}}}));
    cluster.settle().await;
    cluster
}

async fn counted(postgres: &Postgres, what: &str) -> i64 {
    postgres
        .number(&format!("SELECT count(*) FROM {what}"))
        .await
}

#[tokio::test]
async fn nothing_that_a_client_does_in_its_database_keeps_it_from_being_removed() {
    for postgres in each_version() {
        let cluster = deleting(&postgres).await;
        let client = Login::of(&cluster, "globex");
        let mut session = client.session(&postgres).await.expect("a session");
        for sql in [
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
            "SELECT lo_create(0)",
            "CREATE TEMPORARY TABLE kept (id int)",
        ] {
            run(&mut session, sql).await.expect(sql);
        }
        // Everybody may make something in the schema public before version 15.
        let _ = run(
            &mut session,
            "CREATE VIEW public.mine AS SELECT * FROM audit_log",
        )
        .await;
        run(&mut session, "BEGIN; LOCK TABLE usage")
            .await
            .expect("its own");
        take_out(&cluster, "initech");
        cluster.settle().await;
        let (roles, schemas) = (
            format!("pg_roles WHERE rolname = '{}'", client.role),
            format!("pg_namespace WHERE nspname = '{}'", client.schema),
        );
        assert_eq!(counted(&postgres, &roles).await, 0);
        assert_eq!(counted(&postgres, &schemas).await, 0);
        assert_eq!(counted(&postgres, "docket.clients").await, 1);
        assert_eq!(counted(&postgres, "docket.locks").await, 1);
        run(&mut session, "SELECT 1")
            .await
            .expect_err("its session ended");
    }
}

#[tokio::test]
async fn a_role_that_cannot_be_dropped_is_told_and_keeps_no_data_and_can_be_used_again() {
    for postgres in each_version() {
        let cluster = deleting(&postgres).await;
        postgres.run("CREATE DATABASE other").await;
        let client = Login::of(&cluster, "globex");
        let mut elsewhere = postgres
            .login_to("other", &client.role, &client.password)
            .await
            .expect("a session");
        let sql = "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC";
        run(&mut elsewhere, sql).await.expect(sql);
        take_out(&cluster, "initech");
        cluster.settle().await;
        let schemas = format!("pg_namespace WHERE nspname = '{}'", client.schema);
        assert_eq!(counted(&postgres, &schemas).await, 0);
        let (status, reason, message) = cluster.condition(ConditionType::DatabaseReady);
        assert_eq!((&*status, &*reason), ("True", "RoleLeft"));
        assert!(
            message.contains(&client.role) && message.contains("in database other"),
            "{message}"
        );
        assert!(client.session(&postgres).await.is_err());

        let both = json!([{"name": "globex"}, {"name": "initech"}]);
        cluster.change(json!({"spec": {"clients": both}}));
        cluster.settle().await;
        let again = Login::of(&cluster, "globex");
        again.session(&postgres).await.expect("a session");

        take_out(&cluster, "initech");
        cluster.settle().await;
        let in_other = postgres.superuser_of("other").await;
        run(&mut { in_other }, format!("DROP OWNED BY {}", client.role))
            .await
            .expect("dropped");
        cluster.settle().await;
        let roles = format!("pg_roles WHERE rolname = '{}'", client.role);
        assert_eq!(counted(&postgres, &roles).await, 0);
        assert_eq!(
            cluster.condition(ConditionType::DatabaseReady).1,
            "Provisioned"
        );
    }
}

#[tokio::test]
async fn what_others_made_of_a_clients_tables_is_named_and_goes_with_none_of_them() {
    for postgres in each_version() {
        let cluster = deleting(&postgres).await;
        let client = Login::of(&cluster, "globex");
        postgres
            .run(&format!(
                "CREATE SCHEMA reports; CREATE VIEW reports.activity AS SELECT * FROM {}.audit_log",
                client.schema
            ))
            .await;
        take_out(&cluster, "initech");
        cluster.reconcile().await.expect_err("a view is in the way");
        let (status, reason, message) = cluster.condition(ConditionType::DatabaseReady);
        assert_eq!((&*status, &*reason), ("False", "DependentObjects"));
        assert!(message.contains("view reports.activity"), "{message}");
        let tables = format!("{}.audit_log", client.schema);
        assert_eq!(counted(&postgres, &tables).await, 0, "it is still there");

        postgres.run("DROP VIEW reports.activity").await;
        cluster.settle().await;
        let schemas = format!("pg_namespace WHERE nspname = '{}'", client.schema);
        assert_eq!(counted(&postgres, &schemas).await, 0);
    }
}

fn retiring(cluster: &Cluster) -> Option<String> {
    let clients = cluster.tenant().status.expect("a status").clients;
    let client = clients.into_iter().find(|it| it.name == "globex");
    client.expect("the client").retiring
}

#[tokio::test]
async fn a_stolen_login_ends_with_its_rotation_and_its_sessions_a_few_minutes_after() {
    for postgres in each_version() {
        let cluster = serving(&postgres, &["globex"]).await;
        let stolen = Login::of(&cluster, "globex");
        let mut session = stolen.session(&postgres).await.expect("a session");
        cluster.change(json!({"metadata": {"annotations": {annotations::ROTATE: "first"}}}));
        cluster.settle().await;
        assert!(stolen.session(&postgres).await.is_err(), "no new session");
        run(&mut session, "SELECT 1")
            .await
            .expect("for some minutes");
        assert_eq!(retiring(&cluster).as_ref(), Some(&stolen.role));
        let new = Login::of(&cluster, "globex");
        cluster.change(json!({"metadata": {"annotations": {annotations::ROTATE: "second"}}}));
        cluster.reconcile().await.expect("no failure");
        assert_eq!(Login::of(&cluster, "globex").role, new.role, "it waits");

        // As if minutes had passed, and whatever the pods do.
        cluster.hold_pods(true);
        let long_ago = format!("ALTER ROLE {} VALID UNTIL '2020-01-01'", stolen.role);
        postgres.run(&long_ago).await;
        cluster.reconcile().await.expect("no failure");
        run(&mut session, "SELECT 1").await.expect_err("it is over");
        cluster.hold_pods(false);
        cluster.settle().await;
        assert_eq!(retiring(&cluster), None);
        let second = Login::of(&cluster, "globex");
        assert_eq!(second.role, stolen.role, "the next rotation began");
        second.session(&postgres).await.expect("a session");
        assert!(stolen.session(&postgres).await.is_err());
    }
}

#[tokio::test]
async fn revoked_logins_end_at_once_with_their_sessions_whatever_the_pods_do() {
    for postgres in each_version() {
        let cluster = serving(&postgres, &["globex"]).await;
        // A rotation is under way, and both logins are stolen.
        cluster.hold_pods(true);
        let mut stolen = vec![Login::of(&cluster, "globex")];
        cluster.change(json!({"metadata": {"annotations": {annotations::ROTATE: "now"}}}));
        cluster.reconcile().await.expect("a rollout begins");
        stolen.push(Login::of(&cluster, "globex"));
        let mut sessions = Vec::new();
        for login in &stolen {
            sessions.push(login.session(&postgres).await.expect("a session"));
        }
        cluster.change(json!({"metadata": {"annotations": {annotations::REVOKE: "now"}}}));
        cluster.reconcile().await.expect("revoked");
        for session in &mut sessions {
            run(session, "SELECT 1").await.expect_err("it is over");
        }
        for login in &stolen {
            assert!(login.session(&postgres).await.is_err(), "{}", login.role);
        }
        let new = Login::of(&cluster, "globex");
        new.session(&postgres).await.expect("a session");
        cluster.hold_pods(false);
        cluster.settle().await;
        assert_eq!(Login::of(&cluster, "globex").password, new.password, "once");
        assert_eq!(retiring(&cluster), None);
    }
}

#[tokio::test]
async fn wherever_a_revocation_is_cut_off_no_stolen_login_works_after_it() {
    let postgres = Postgres::start();
    let cluster = serving(&postgres, &["globex"]).await;
    for done in [false, true] {
        for count in 0.. {
            let stolen = Login::of(&cluster, "globex");
            let value = format!("{done} {count}");
            cluster.change(json!({"metadata": {"annotations": {annotations::REVOKE: value}}}));
            cluster.fail_after(count, done);
            // A failure is what this is about.
            let _ = cluster.reconcile().await;
            assert!(stolen.session(&postgres).await.is_err(), "{value}");
            let over = cluster.forget_failure();
            cluster.settle().await;
            let new = Login::of(&cluster, "globex");
            new.session(&postgres).await.expect("a session");
            assert!(stolen.session(&postgres).await.is_err(), "{value}");
            if over {
                break;
            }
        }
    }
}

#[tokio::test]
async fn who_is_logged_in_as_a_client_that_is_retained_no_longer_is() {
    for postgres in each_version() {
        let cluster = serving(&postgres, &["globex", "initech"]).await;
        let client = Login::of(&cluster, "globex");
        let mut session = client.session(&postgres).await.expect("a session");
        take_out(&cluster, "initech");
        cluster.settle().await;
        run(&mut session, "SELECT 1").await.expect_err("it is over");
        assert!(client.session(&postgres).await.is_err());
        let kept = format!("{}.document_metadata", client.schema);
        assert_eq!(counted(&postgres, &kept).await, 0, "the tables are there");
    }
}

#[tokio::test]
async fn a_password_that_a_client_gave_itself_does_not_last() {
    let postgres = Postgres::start();
    let cluster = serving(&postgres, &["globex"]).await;
    let client = Login::of(&cluster, "globex");
    let mut session = client.session(&postgres).await.expect("a session");
    let own = format!("ALTER ROLE {} PASSWORD 'taken'", client.role);
    run(&mut session, own).await.expect("everybody may");
    assert!(client.session(&postgres).await.is_err(), "locked out");
    cluster.settle().await;
    client.session(&postgres).await.expect("let in again");
    let taken = postgres.login(&client.role, "taken").await;
    taken.expect_err("it is the operator's again");
    let told = cluster.events();
    let told = told.iter().any(|(reason, _)| reason == "PasswordReset");
    assert!(told);
}

#[tokio::test]
async fn a_client_can_rewrite_neither_its_audit_log_nor_its_counters_rows() {
    let postgres = Postgres::start();
    let cluster = serving(&postgres, &["globex"]).await;
    let client = Login::of(&cluster, "globex");
    // As before a release that knew it.
    let before = format!(
        "GRANT ALL ON ALL TABLES IN SCHEMA {0} TO {1}; \
         DELETE FROM {0}.schema_migrations WHERE workload = 'rights'",
        client.schema, client.role
    );
    postgres.run(&before).await;
    cluster.settle().await;
    let mut session = client.session(&postgres).await.expect("a session");
    let entry = "INSERT INTO audit_log (actor, action, subject_kind, subject_id) VALUES ('a', 'b', 'c', 'd')";
    for allowed in [
        entry,
        "SELECT * FROM audit_log",
        "UPDATE usage SET amount = amount",
        "INSERT INTO maintenance_tasks VALUES ('x', now()) ON CONFLICT (name) DO UPDATE SET due = now()",
        "DELETE FROM idempotency_keys",
        "DELETE FROM document_metadata",
    ] {
        run(&mut session, allowed).await.expect(allowed);
    }
    for refused in [
        "UPDATE audit_log SET actor = 'another'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "SELECT * FROM audit_log FOR UPDATE",
        "DELETE FROM usage",
        "INSERT INTO usage VALUES ('x', 0)",
        "DELETE FROM maintenance_tasks",
        "UPDATE schema_migrations SET name = 'x'",
    ] {
        run(&mut session, refused).await.expect_err(refused);
    }
}

#[tokio::test]
async fn roles_of_another_administrator_are_named_with_the_statement_that_gives_them() {
    let postgres = Postgres::of("18");
    let cluster = serving(&postgres, &["globex", "initech"]).await;
    let roles: Vec<String> = ["globex", "initech"]
        .map(|client| Login::of(&cluster, client).role)
        .into();
    postgres
        .run(
            "CREATE ROLE \"another\" LOGIN CREATEROLE PASSWORD 'second'; REASSIGN OWNED BY admin TO another; \
             GRANT CREATE ON DATABASE postgres TO another",
        )
        .await;
    cluster.put_secret("docket-database", &postgres.secret("another", "second"));
    cluster.settle().await;
    let (status, reason, message) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!((&*status, &*reason), ("True", "AdminOptionMissing"));
    let grant = format!(
        "GRANT \"{}\", \"{}\" TO \"another\" WITH ADMIN OPTION",
        roles[0], roles[1]
    );
    assert!(message.contains(&grant), "{message}");

    cluster.change(json!({"metadata": {"annotations": {annotations::REVOKE: "now"}}}));
    cluster.reconcile().await.expect_err("it may not");
    let (status, reason, _) = cluster.condition(ConditionType::DatabaseReady);
    assert_eq!((&*status, &*reason), ("False", "AdminOptionMissing"));

    postgres.run(&grant).await;
    cluster.settle().await;
    let password = cluster.secret(&names::credentials_secret("acme"), "globex");
    let role = Login::of(&cluster, "globex").role;
    let login = postgres.login(&role, &password.expect("a password")).await;
    login.expect("a login that was made anew");
    assert_eq!(
        cluster.condition(ConditionType::DatabaseReady).1,
        "Provisioned"
    );
}

#[tokio::test]
async fn a_right_that_lacks_is_told_for_what_it_is() {
    for postgres in each_version() {
        postgres
            .run("CREATE ROLE admin LOGIN PASSWORD 'first'")
            .await;
        let cluster = Cluster::new(&["globex"], &postgres.secret("admin", "first"));
        for (lacks, granted) in [
            (
                "GRANT CREATE ON DATABASE",
                "GRANT CREATE ON DATABASE postgres TO admin",
            ),
            ("ALTER ROLE … CREATEROLE", "ALTER ROLE admin CREATEROLE"),
        ] {
            cluster.reconcile().await.expect_err(lacks);
            let (_, reason, message) = cluster.condition(ConditionType::DatabaseReady);
            assert_eq!(reason, "PermissionDenied");
            assert!(message.contains(lacks), "{message}");
            postgres.run(granted).await;
        }
        cluster.settle().await;
    }
}

use anyhow::{Context, Result, ensure};
use docket_crds::names;
use docket_e2e::database::{connect, connect_as_admin, connect_to};
use docket_e2e::scenario::{Scenario, TENANT, scenario, schema_of};
use k8s_openapi::api::core::v1::Service;
use serde_json::Value;
use sqlx::PgConnection;

#[tokio::test]
async fn a_clients_key_is_refused_on_the_other_clients_routes_without_telling_who_exists() {
    scenario(async |it| {
        it.ready(it.spec(&["globex", "initech"])).await?;
        let globex = it.documents("globex").await?;
        let id = it
            .documents("initech")
            .await?
            .upload("secret.txt", b"secret")
            .await?;
        let mut bodies = Vec::new();
        for client in ["initech", "nobody"] {
            let stranger = globex.on_routes_of(client);
            for path in [format!("documents/{id}"), format!("documents/{id}/content")] {
                let response = stranger.get(&path).await?;
                ensure!(
                    response.status() == 403,
                    "{client}/{path}: {}",
                    response.status()
                );
                let type_ = response.headers()["content-type"].clone();
                ensure!(type_ == "application/problem+json", "{type_:?}");
                let problem: Value = response.json().await?;
                bodies.push((problem["type"].clone(), problem["title"].clone()));
            }
            let response = stranger.try_upload("intruder.txt", b"x").await?;
            ensure!(response.status() == 403, "{client}: {}", response.status());
        }
        bodies.dedup();
        ensure!(bodies.len() == 1, "the answers tell who exists: {bodies:?}");

        let url = format!("{}/clients/globex/documents/1", service_url(it).await?);
        let response = reqwest::Client::new().get(url).send().await?;
        ensure!(response.status() == 401, "{}", response.status());
        Ok(())
    })
    .await;
}

async fn service_url(it: &Scenario) -> Result<String> {
    let service: Service = it.objects.get(&names::api_name(TENANT)).await?;
    let address = service
        .spec
        .and_then(|spec| spec.cluster_ip)
        .context("no cluster IP")?;
    Ok(format!("http://{address}"))
}

/// `insufficient_privilege` (PostgreSQL, appendix A).
const FORBIDDEN: &str = "42501";

/// What a bug in our SQL might run as the role `own`.
fn hostile(own: &str, other: &str) -> Vec<String> {
    let others_data = [
        "SELECT * FROM {other}.document_metadata",
        "INSERT INTO {other}.document_metadata SELECT * FROM document_metadata",
        "UPDATE {other}.document_metadata SET filename = 'x'",
        "DELETE FROM {other}.document_metadata",
        "TRUNCATE {other}.document_metadata",
        "COPY {other}.document_metadata TO STDOUT",
        "DO $$ BEGIN LOCK TABLE {other}.document_metadata; END $$",
        "SELECT nextval('{other}.document_metadata_id_seq')",
        "DROP SCHEMA {other} CASCADE",
        "SET search_path = {other}; SELECT count(*) FROM {other}.document_metadata",
        "SELECT query_to_xml('SELECT * FROM {other}.document_metadata', true, true, '')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'docket_admin'",
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'docket_admin'",
    ];
    let other_roles = [
        "SET ROLE {other}",
        "SET ROLE docket_admin",
        "SET ROLE postgres",
        "SET ROLE pg_read_all_data",
        "SET SESSION AUTHORIZATION {other}",
        "SET SESSION AUTHORIZATION postgres",
        "GRANT docket_admin TO {own}",
        "GRANT pg_read_all_data TO {own}",
        "GRANT USAGE ON SCHEMA {other} TO {own}",
        "ALTER ROLE {other} PASSWORD 'x'",
        "ALTER ROLE {other} NOLOGIN",
        "ALTER ROLE {other} SET search_path = {own}",
        "ALTER ROLE {own} SUPERUSER",
        "ALTER ROLE {own} CREATEROLE",
        "ALTER ROLE {own} BYPASSRLS",
        "ALTER ROLE {own} CONNECTION LIMIT -1",
        "CREATE ROLE intruder",
        "DROP ROLE {other}",
        "REASSIGN OWNED BY {other} TO {own}",
    ];
    let secrets_and_settings = [
        "SELECT * FROM docket.clients",
        "UPDATE docket.clients SET tenant_uid = 'x'",
        "INSERT INTO docket.locks VALUES ('x')",
        "DO $$ BEGIN LOCK TABLE docket.locks; END $$",
        "SELECT rolpassword FROM pg_authid",
        "SELECT passwd FROM pg_shadow",
        "SELECT * FROM pg_user_mapping",
        "SELECT * FROM pg_hba_file_rules",
        "SELECT * FROM pg_file_settings",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM pg_largeobject",
        "ALTER SYSTEM SET log_statement = 'none'",
        "ALTER DATABASE docket SET statement_timeout = 0",
        "SET log_statement = 'none'",
        "SET log_min_duration_statement = -1",
        "SET session_replication_role = 'replica'",
        "SELECT pg_reload_conf()",
        "SELECT pg_rotate_logfile()",
        "SELECT pg_switch_wal()",
        "SELECT pg_create_physical_replication_slot('mine')",
        "CHECKPOINT",
        "CREATE DATABASE mine",
        "CREATE TABLESPACE mine LOCATION '/tmp'",
    ];
    let server = [
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "COPY document_metadata TO PROGRAM 'cat'",
        "COPY document_metadata FROM PROGRAM 'id'",
        "COPY document_metadata TO '/tmp/x'",
        "COPY document_metadata FROM '/etc/passwd'",
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION pgcrypto",
        "CREATE PUBLICATION mine FOR ALL TABLES",
        "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION version()",
    ];
    let structure = [
        "CREATE SCHEMA mine",
        "CREATE TABLE mine (x int)",
        "CREATE TABLE public.mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE TYPE mine AS (x int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX ON document_metadata (filename)",
        "CREATE TRIGGER mine BEFORE INSERT ON document_metadata \
         EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "ALTER TABLE document_metadata ADD COLUMN x int",
        "ALTER TABLE document_metadata DISABLE TRIGGER ALL",
        "ALTER SCHEMA {own} RENAME TO mine",
        "DROP SCHEMA {own} CASCADE",
        "DROP TABLE document_metadata",
        "TRUNCATE document_metadata",
        "COMMENT ON TABLE document_metadata IS 'x'",
        "SELECT setval('document_metadata_id_seq', 1)",
        "UPDATE audit_log SET actor = 'x'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM usage",
        "DELETE FROM maintenance_tasks",
        "DELETE FROM schema_migrations",
        "INSERT INTO schema_migrations VALUES ('documents', 99, 'x', '')",
    ];
    let forbidden = [
        others_data.as_slice(),
        &other_roles,
        &secrets_and_settings,
        &server,
        &structure,
    ]
    .concat();
    let named = |sql: &str| sql.replace("{own}", own).replace("{other}", other);
    forbidden.into_iter().map(named).collect()
}

#[tokio::test]
async fn a_clients_role_cannot_reach_anything_but_the_rows_of_its_own_schema() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex", "initech"])).await?;
        // Someone whose session could be ended.
        let _administrator = connect_as_admin(&it.client).await?;
        let schemas = [
            schema_of(&tenant, "globex")?,
            schema_of(&tenant, "initech")?,
        ];
        for (client, own, other) in [
            ("globex", &schemas[0], &schemas[1]),
            ("initech", &schemas[1], &schemas[0]),
        ] {
            it.documents(client)
                .await?
                .upload("own.txt", b"own")
                .await?;
            let password = it
                .objects
                .secret(&names::credentials_secret(TENANT), client)
                .await?;
            let mut connection = connect(&it.client, own, &password).await?;
            run(&mut connection, "SELECT count(*) FROM document_metadata").await?;
            for sql in hostile(own, other) {
                let refused = run(&mut connection, &sql).await.err().and_then(|error| {
                    let code = error.as_database_error()?.code()?;
                    Some(code.into_owned())
                });
                ensure!(refused.as_deref() == Some(FORBIDDEN), "{sql}: {refused:?}");
            }
            let elsewhere = connect_to(&it.client, "postgres", own, &password).await;
            ensure!(elsewhere.is_err(), "another database lets it in");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_postgres_lets_every_role_do_changes_nothing_for_others() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex", "initech"])).await?;
        let (own, other) = (
            schema_of(&tenant, "globex")?,
            schema_of(&tenant, "initech")?,
        );
        let documents = it.documents("initech").await?;
        let id = documents.upload("stays.txt", b"stays").await?;
        let password = it
            .objects
            .secret(&names::credentials_secret(TENANT), "globex")
            .await?;
        let mut connection = connect(&it.client, &own, &password).await?;
        for sql in [
            // Without a right to give away, these warn and give nothing.
            "GRANT SELECT ON document_metadata TO PUBLIC".to_owned(),
            format!("GRANT SELECT ON document_metadata TO {other}"),
            // Of this session alone.
            "SET statement_timeout = 0".to_owned(),
            "SET work_mem = '4GB'".to_owned(),
            // Nobody of ours listens or notifies.
            "NOTIFY mine, 'x'".to_owned(),
            "LISTEN mine".to_owned(),
        ] {
            run(&mut connection, &sql)
                .await
                .with_context(|| sql.clone())?;
        }
        let seen: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE usename <> current_user AND query NOT IN ('', '<insufficient privilege>')",
        )
        .fetch_one(&mut connection)
        .await?;
        ensure!(seen == 0, "it sees {seen} statements of others");
        let granted: bool = sqlx::query_scalar(
            "SELECT has_schema_privilege($1, $2, 'USAGE') \
             OR has_table_privilege($1, 'document_metadata', 'SELECT')",
        )
        .bind(&other)
        .bind(&own)
        .fetch_one(&mut connection)
        .await?;
        ensure!(!granted, "the other client may read it now");
        ensure!(documents.content(id).await? == b"stays");
        Ok(())
    })
    .await;
}

async fn run(connection: &mut PgConnection, sql: &str) -> sqlx::Result<()> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .map(|_| ())
}

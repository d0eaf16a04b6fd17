use anyhow::{Context, Result, ensure};
use docket_e2e::database::connect;
use docket_e2e::scenario::{Scenario, scenario, schema_of};
use k8s_openapi::api::core::v1::Service;
use reqwest::Method;
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
                let response = stranger.request(Method::GET, &path).send().await?;
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
    let service: Service = it.objects.get("acme-api").await?;
    let address = service
        .spec
        .and_then(|spec| spec.cluster_ip)
        .context("no cluster IP")?;
    Ok(format!("http://{address}"))
}

#[tokio::test]
async fn a_clients_role_cannot_reach_anything_but_the_rows_of_its_own_schema() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex", "initech"])).await?;
        let (own, other) = (
            schema_of(&tenant, "globex")?,
            schema_of(&tenant, "initech")?,
        );
        it.documents("initech")
            .await?
            .upload("secret.txt", b"secret")
            .await?;
        let password = it.objects.secret("acme-credentials", "globex").await?;
        let mut connection = connect(&it.client, &own, &password).await?;

        ensure!(
            run(&mut connection, "SELECT count(*) FROM document_metadata")
                .await
                .is_ok()
        );
        for hostile in [
            format!("SELECT * FROM {other}.document_metadata"),
            format!("INSERT INTO {other}.document_metadata SELECT * FROM document_metadata"),
            format!("DROP SCHEMA {other} CASCADE"),
            format!("SET ROLE {other}"),
            format!("GRANT USAGE ON SCHEMA {other} TO {own}"),
            format!("ALTER ROLE {other} PASSWORD 'x'"),
            "SELECT * FROM docket.clients".to_owned(),
            "SELECT rolpassword FROM pg_authid".to_owned(),
            "SET ROLE docket_admin".to_owned(),
            "SET ROLE postgres".to_owned(),
            "CREATE ROLE intruder SUPERUSER".to_owned(),
            "CREATE SCHEMA mine".to_owned(),
            "CREATE TABLE mine (x int)".to_owned(),
            "DROP TABLE document_metadata".to_owned(),
            "ALTER TABLE document_metadata ADD COLUMN x int".to_owned(),
            "DELETE FROM schema_migrations".to_owned(),
            "SELECT pg_read_file('/etc/passwd')".to_owned(),
            "COPY document_metadata TO PROGRAM 'cat'".to_owned(),
        ] {
            let answer = run(&mut connection, &hostile).await;
            ensure!(answer.is_err(), "Postgres allowed: {hostile}");
        }
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

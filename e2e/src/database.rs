//! The Postgres of the development stack, as a client's role or as the administrator.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::api::AttachParams;
use kube::{Api, Client};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::objects::Objects;
use crate::scenario::DEV_NAMESPACE;

/// A connection to Docket's database as `role` with `password`.
///
/// # Errors
/// Postgres refuses the login, or is not there.
pub async fn connect(client: &Client, role: &str, password: &str) -> Result<PgConnection> {
    let objects = Objects::new(client.clone(), DEV_NAMESPACE);
    let database = objects.secret("docket-database", "dbname").await?;
    connect_to(client, &database, role, password).await
}

/// The same to any database of the server.
///
/// # Errors
/// As [`connect`].
pub async fn connect_to(
    client: &Client,
    database: &str,
    role: &str,
    password: &str,
) -> Result<PgConnection> {
    let objects = Objects::new(client.clone(), DEV_NAMESPACE);
    let address = objects.address("postgres").await?;
    let options = PgConnectOptions::new()
        .host(&address)
        .database(database)
        .username(role)
        .password(password);
    Ok(options.connect().await?)
}

/// A connection as the administrator that the operator uses.
///
/// # Errors
/// As [`connect`].
pub async fn connect_as_admin(client: &Client) -> Result<PgConnection> {
    let objects = Objects::new(client.clone(), DEV_NAMESPACE);
    let role = objects.secret("docket-database", "username").await?;
    let password = objects.secret("docket-database", "password").await?;
    connect(client, &role, &password).await
}

/// Gives the table `from` of `schema` the name `to`: without its own, each statement on it fails.
///
/// # Errors
/// There is no such table, or one with the new name.
pub async fn rename_table(
    admin: &mut PgConnection,
    schema: &str,
    from: &str,
    to: &str,
) -> Result<()> {
    let statement = format!("ALTER TABLE {schema}.{from} RENAME TO {to}");
    sqlx::query(AssertSqlSafe(statement)).execute(admin).await?;
    Ok(())
}

/// Whether the schema, the role and a row in the registry exist under the name `schema`.
///
/// # Errors
/// The query fails.
pub async fn traces_of(
    connection: &mut PgConnection,
    schema: &str,
) -> Result<(bool, bool, Option<String>)> {
    let query = "
        SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
               EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
               (SELECT state FROM docket.clients WHERE schema_name = $1)";
    Ok(sqlx::query_as(query)
        .bind(schema)
        .fetch_one(connection)
        .await?)
}

/// Lets Postgres log every statement of `role` from its next connection on, and ends those that are.
///
/// # Errors
/// As [`as_superuser`].
pub async fn log_statements_of(client: &Client, role: &str) -> Result<()> {
    let set = format!("ALTER ROLE {role} SET log_min_duration_statement = 0");
    as_superuser(client, &[&set, &end_connections_of(role)]).await
}

/// Lets Postgres take no connection of `role`, and ends those that are.
///
/// # Errors
/// As [`as_superuser`].
pub async fn shut_out(client: &Client, role: &str) -> Result<()> {
    let limit = format!("ALTER ROLE {role} CONNECTION LIMIT 0");
    as_superuser(client, &[&limit, &end_connections_of(role)]).await
}

/// Undoes [`shut_out`].
///
/// # Errors
/// As [`as_superuser`].
pub async fn let_in(client: &Client, role: &str) -> Result<()> {
    let limit = format!("ALTER ROLE {role} CONNECTION LIMIT -1");
    as_superuser(client, &[&limit]).await
}

fn end_connections_of(role: &str) -> String {
    format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")
}

/// Runs `statements` as Postgres' superuser, who can log in from inside its pod alone.
///
/// # Errors
/// The pod of Postgres cannot be reached, or the superuser is refused.
async fn as_superuser(client: &Client, statements: &[&str]) -> Result<()> {
    let psql = [
        "psql",
        "--username=postgres",
        "--no-psqlrc",
        "--set=ON_ERROR_STOP=1",
    ];
    let statements = statements.iter().flat_map(|it| ["--command", *it]);
    let command: Vec<&str> = psql.into_iter().chain(statements).collect();
    let pods: Api<Pod> = Api::namespaced(client.clone(), DEV_NAMESPACE);
    let mut process = pods
        .exec("postgres-0", command, &AttachParams::default())
        .await?;
    let status = process.take_status().context("no status")?.await;
    let success = status.and_then(|status| status.status);
    ensure!(
        success.as_deref() == Some("Success"),
        "psql failed: {success:?}"
    );
    Ok(())
}

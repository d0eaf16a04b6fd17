//! The Postgres of the development stack, as a client's role or as the administrator.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Service;
use kube::Client;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use crate::objects::Objects;
use crate::scenario::DEV_NAMESPACE;

/// A connection as `role` with `password`.
///
/// # Errors
/// Postgres refuses the login, or is not there.
pub async fn connect(client: &Client, role: &str, password: &str) -> Result<PgConnection> {
    let objects = Objects::new(client.clone(), DEV_NAMESPACE);
    let service: Service = objects.get("postgres").await?;
    let address = service
        .spec
        .and_then(|spec| spec.cluster_ip)
        .context("no cluster IP")?;
    let options = PgConnectOptions::new()
        .host(&address)
        .database(&objects.secret("docket-database", "dbname").await?)
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

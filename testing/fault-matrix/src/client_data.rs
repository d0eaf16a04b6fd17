//! What clients have, row by row and object by object: stored as the API would, and looked for afterwards.

use anyhow::{Result, ensure};
use docket_contract::ContentOwner;
use docket_schema::Identity;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::scenario::TENANT;
use crate::world::World;

/// The schema of a client.
pub(crate) fn schema(world: &World, client: &str) -> String {
    Identity::of(&world.namespace, TENANT, client).schema
}

/// Nothing is left of a client, whatever a clean run leaves.
pub(crate) async fn gone(world: &World, client: &str) -> Result<()> {
    let identity = Identity::of(&world.namespace, TENANT, client);
    ensure!(
        !world.ground.objects.has(&identity.schema),
        "the content of {client} is left"
    );
    let mut superuser = world.ground.postgres.superuser(&world.database).await?;
    let left: Vec<String> = sqlx::query_scalar(
        "SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = $1
         UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname = ANY($2)",
    )
    .bind(&identity.schema)
    .bind(identity.roles().as_slice())
    .fetch_all(&mut superuser)
    .await?;
    superuser.close().await?;
    ensure!(left.is_empty(), "of {client} are left: {left:?}");
    Ok(())
}

/// Stores a document of a client, its row and its content, as the API would.
pub(crate) async fn store_document(world: &World, client: &str) -> Result<()> {
    let schema = schema(world, client);
    run(
        world,
        format!(
            "INSERT INTO {schema}.document_metadata (filename, file_size, file_type, content_key, sha256)
             VALUES ('kept', 1, 'text/plain', gen_random_uuid(), sha256('kept'))"
        ),
    )
    .await?;
    claim(world, &schema).await?;
    world.ground.objects.put(&schema)
}

/// Says in the bucket whose the content of a client is.
async fn claim(world: &World, schema: &str) -> Result<()> {
    let mut superuser = world.ground.postgres.superuser(&world.database).await?;
    let database: String = sqlx::query_scalar(docket_schema::READ_DATABASE)
        .fetch_one(&mut superuser)
        .await?;
    superuser.close().await?;
    let tenant = world.tenant(TENANT).await?.unwrap_or_default();
    let uid = tenant["metadata"]["uid"].as_str().unwrap_or_default();
    let owner = ContentOwner::new(&database, uid);
    world.ground.objects.put_owner(schema, &owner)
}

pub(crate) async fn check_document(world: &World, client: &str) -> Result<()> {
    let schema = schema(world, client);
    let rows = format!("{schema}.document_metadata WHERE filename = 'kept'");
    let rows = count(world, rows).await?;
    ensure!(rows == 1, "{client} has {rows} documents instead of 1");
    ensure!(
        world.ground.objects.has(&schema),
        "the content of {client} is lost"
    );
    Ok(())
}

/// Stores a view of a page of a client, as the API would.
pub(crate) async fn store_view(world: &World, client: &str) -> Result<()> {
    let schema = schema(world, client);
    run(
        world,
        format!(
            "INSERT INTO {schema}.page_views (day, path, visitor) VALUES (current_date, '/kept', 'v')"
        ),
    )
    .await
}

pub(crate) async fn check_view(world: &World, client: &str) -> Result<()> {
    let schema = schema(world, client);
    let rows = format!("{schema}.page_views WHERE path = '/kept'");
    let rows = count(world, rows).await?;
    ensure!(rows == 1, "{client} has {rows} views instead of 1");
    Ok(())
}

/// Nothing is left of the documents of a client: no table, no content, and nothing that counts them.
pub(crate) async fn without_documents(world: &World, client: &str) -> Result<()> {
    let schema = schema(world, client);
    ensure!(
        !world.ground.objects.has(&schema),
        "the content of {client} is left"
    );
    let tables = tables_of_documents(world, client).await?;
    ensure!(tables == 0, "of {client} {tables} tables are left");
    let rows = format!("{schema}.usage WHERE counter IN ('documents', 'bytes')");
    let counters = count(world, rows).await?;
    ensure!(counters == 0, "of {client} {counters} counters are left");
    Ok(())
}

/// Waits until the tables of the documents of a client are gone: nothing else tells that no pod used them any more.
pub(crate) async fn until_without_documents(world: &World, client: &str) -> Result<()> {
    world
        .until(|| async {
            Ok(match tables_of_documents(world, client).await? {
                0 => Ok(()),
                left => Err(format!("of {client} {left} tables are left")),
            })
        })
        .await
}

async fn tables_of_documents(world: &World, client: &str) -> Result<i64> {
    let schema = schema(world, client);
    let tables = format!(
        "pg_tables WHERE schemaname = '{schema}' AND (tablename LIKE 'document\\_%' OR tablename = 'unnamed_content')"
    );
    count(world, tables).await
}

async fn run(world: &World, sql: String) -> Result<()> {
    let mut superuser = world.ground.postgres.superuser(&world.database).await?;
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut superuser)
        .await?;
    superuser.close().await?;
    Ok(())
}

/// How many `rows` there are, a table and a condition.
async fn count(world: &World, rows: String) -> Result<i64> {
    let mut superuser = world.ground.postgres.superuser(&world.database).await?;
    let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {rows}")))
        .fetch_one(&mut superuser)
        .await?;
    superuser.close().await?;
    Ok(count)
}

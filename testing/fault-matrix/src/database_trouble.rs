//! A database that stops being usable while nothing of the tenant changes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use docket_crds::ConditionType;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::ground::Ground;
use crate::postgres::ADMIN;
use crate::scenario::TENANT;
use crate::world::{UNHURRIED, World};

/// Each trouble, how it ends, and the reason that a status gives for it.
const TROUBLES: [(&str, &str, &str); 2] = [
    (
        "CONNECTION LIMIT 0",
        "CONNECTION LIMIT -1",
        "TooManyConnections",
    ),
    (
        "SET default_transaction_read_only = on",
        "RESET default_transaction_read_only",
        "DatabaseReadOnly",
    ),
];

/// Longer than the pause after a failure: a status follows sooner.
const REST: Duration = Duration::from_secs(5);

/// `DatabaseReady` follows the database, with no change of the tenant and long before it is looked at by
/// itself; while all is well nothing is written.
///
/// # Errors
/// What is otherwise than it should be.
pub async fn a_status_follows_its_database(ground: &Arc<Ground>) -> Result<()> {
    let often = ["--databases-interval=1s".to_owned()];
    let namespace = ground.next_name();
    let world = World::told(ground.clone(), UNHURRIED, namespace, &often).await?;
    let mut spec = world.spec();
    spec["clients"] = json!([{"name": "globex"}]);
    world.create(TENANT, &spec).await?;
    world.ready(TENANT).await?;
    for (trouble, end, reason) in TROUBLES {
        world.quiet(REST).await?;
        alter(&world, trouble).await?;
        world
            .says(TENANT, ConditionType::DatabaseReady, "False", reason)
            .await?;
        alter(&world, end).await?;
        world
            .says(TENANT, ConditionType::DatabaseReady, "True", "Provisioned")
            .await?;
        world.ready(TENANT).await?;
    }
    world.end().await
}

/// Changes the database and ends its sessions, so that new ones are what it is now.
async fn alter(world: &World, change: &str) -> Result<()> {
    let postgres = &world.ground.postgres;
    let mut superuser = postgres.superuser("postgres").await?;
    let name = &world.database;
    for statement in [
        format!("ALTER DATABASE \"{name}\" {change}"),
        format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = '{name}' AND usename = '{ADMIN}'"
        ),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut superuser)
            .await?;
    }
    Ok(superuser.close().await?)
}

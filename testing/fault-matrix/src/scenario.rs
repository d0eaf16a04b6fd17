//! What a user does to a tenant, from what it was before to what must hold in the end.

use anyhow::{Context as _, Result, ensure};
use docket_crds::annotations;
use docket_schema::Identity;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::mask::decode;
use crate::snapshot;
use crate::specs::{autoscaling, exposed_by_ingress, exposed_by_route};
use crate::world::World;

/// The one tenant of a scenario.
pub(crate) const TENANT: &str = "acme";

/// The client that every scenario leaves alone.
const STAYS: &str = "globex";
/// The client that comes or goes.
const GOES: &str = "initech";

/// What a user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// A tenant with two clients where there was none.
    Create,
    /// A second client.
    AddClient,
    /// A client less, its data kept.
    RemoveRetain,
    /// A client less, its data deleted.
    RemoveDelete,
    /// A new login to the database and a new API key.
    Rotate,
    /// Another image.
    ChangeImage,
    /// An autoscaler in place of a fixed number of pods, and an Ingress in place of an HTTPRoute.
    Autoscale,
    /// The tenant goes, its data kept.
    DeleteRetain,
    /// The tenant goes with its data.
    DeleteDelete,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 9] = [
        Self::Create,
        Self::AddClient,
        Self::RemoveRetain,
        Self::RemoveDelete,
        Self::Rotate,
        Self::ChangeImage,
        Self::Autoscale,
        Self::DeleteRetain,
        Self::DeleteDelete,
    ];

    /// What it is called in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::AddClient => "add a client",
            Self::RemoveRetain => "remove a client, Retain",
            Self::RemoveDelete => "remove a client, Delete",
            Self::Rotate => "rotate",
            Self::ChangeImage => "change image",
            Self::Autoscale => "autoscale, other way in",
            Self::DeleteRetain => "delete, Retain",
            Self::DeleteDelete => "delete, Delete",
        }
    }

    /// Whether the tenant is to be gone in the end.
    fn deletes(self) -> bool {
        matches!(self, Self::DeleteRetain | Self::DeleteDelete)
    }

    /// The clients that are served in the end.
    fn served(self) -> &'static [&'static str] {
        match self {
            Self::Create | Self::AddClient => &[STAYS, GOES],
            Self::RemoveRetain
            | Self::RemoveDelete
            | Self::Rotate
            | Self::ChangeImage
            | Self::Autoscale => &[STAYS],
            Self::DeleteRetain | Self::DeleteDelete => &[],
        }
    }

    /// The clients whose data is kept for whoever adopts it.
    fn retained(self) -> &'static [&'static str] {
        match self {
            Self::RemoveRetain => &[GOES],
            Self::DeleteRetain => &[STAYS],
            _ => &[],
        }
    }

    /// The clients whose data is gone in the end.
    fn deleted(self) -> &'static [&'static str] {
        match self {
            Self::RemoveDelete => &[GOES],
            Self::DeleteDelete => &[STAYS],
            _ => &[],
        }
    }

    /// What is there before the user does it.
    pub(crate) async fn prepare(self, world: &World) -> Result<()> {
        let clients: &[&str] = match self {
            Self::Create => return Ok(()),
            Self::RemoveRetain | Self::RemoveDelete => &[STAYS, GOES],
            _ => &[STAYS],
        };
        let policy = match self {
            Self::RemoveDelete | Self::DeleteDelete => "Delete",
            _ => "Retain",
        };
        let mut spec = world.spec();
        spec["clients"] = clients.iter().map(|name| json!({"name": name})).collect();
        spec["database"]["deletionPolicy"] = policy.into();
        if self == Self::Autoscale {
            spec["api"] = exposed_by_route();
        }
        world.create(TENANT, &spec).await?;
        world.ready(TENANT).await?;
        for client in clients {
            store_document(world, client).await?;
        }
        Ok(())
    }

    /// What the user does.
    pub(crate) async fn act(self, world: &World) -> Result<()> {
        match self {
            Self::Create => {
                let mut spec = world.spec();
                spec["clients"] = json!([{"name": STAYS}, {"name": GOES}]);
                world.create(TENANT, &spec).await
            }
            Self::AddClient => {
                let clients = json!([{"name": STAYS}, {"name": GOES}]);
                world
                    .change(TENANT, &json!({"spec": {"clients": clients}}))
                    .await
            }
            Self::RemoveRetain | Self::RemoveDelete => {
                let clients = json!([{"name": STAYS}]);
                world
                    .change(TENANT, &json!({"spec": {"clients": clients}}))
                    .await
            }
            Self::Rotate => {
                let asked = json!({annotations::ROTATE: "1", annotations::ROTATE_API_KEYS: "1"});
                let change = json!({"metadata": {"annotations": asked}});
                world.change(TENANT, &change).await
            }
            Self::ChangeImage => {
                let image = "docket.test/api-server:2";
                world
                    .change(TENANT, &json!({"spec": {"api": {"image": image}}}))
                    .await
            }
            Self::Autoscale => {
                let mut api = exposed_by_ingress();
                api["autoscaling"] = autoscaling(2, 2);
                api["httpRoute"] = Value::Null;
                world.change(TENANT, &json!({"spec": {"api": api}})).await
            }
            Self::DeleteRetain | Self::DeleteDelete => world.delete(TENANT).await,
        }
    }

    /// Waits until the tenant is as the user asked.
    pub(crate) async fn done(self, world: &World) -> Result<()> {
        if self == Self::Rotate {
            rotated(world).await?;
        }
        if !self.deletes() {
            world.ready(TENANT).await?;
            return self.released(world).await;
        }
        // Its children go after it, when the garbage collector comes by.
        world
            .until(|| async {
                let left = snapshot::take(world, TENANT, &[]).await?;
                Ok(match snapshot::has_objects(&left) {
                    false => Ok(()),
                    true => Err(format!("these are left: {:?}", left.keys())),
                })
            })
            .await
    }

    /// Waits until the status names the clients that are served, and no other.
    async fn released(self, world: &World) -> Result<()> {
        world
            .until(|| async {
                let tenant = world.tenant(TENANT).await?.unwrap_or_default();
                let clients = tenant["status"]["clients"].as_array();
                let names: Vec<&str> = clients
                    .into_iter()
                    .flatten()
                    .filter_map(|client| client["name"].as_str())
                    .collect();
                Ok(match names == self.served() {
                    true => Ok(()),
                    false => Err(format!("the status names {names:?}")),
                })
            })
            .await
    }

    /// What must hold beside what a snapshot shows: credentials open, kept data is whole and can be
    /// adopted, deleted data is gone.
    pub(crate) async fn aftermath(self, world: &World) -> Result<()> {
        for client in self.served() {
            log_in(world, client).await?;
        }
        for client in self.deleted() {
            gone(world, client).await?;
        }
        let retained = self.retained();
        for client in retained {
            check_document(world, client).await?;
        }
        if retained.is_empty() {
            return Ok(());
        }
        let adopting = json!(
            [STAYS, GOES]
                .iter()
                .map(|name| json!({"name": name, "adopt": true}))
                .collect::<Vec<_>>()
        );
        let all: Vec<&str> = match self {
            Self::RemoveRetain => {
                world
                    .change(TENANT, &json!({"spec": {"clients": adopting}}))
                    .await?;
                vec![STAYS, GOES]
            }
            _ => {
                let mut spec = world.spec();
                spec["clients"] = json!([{"name": STAYS, "adopt": true}]);
                world.create(TENANT, &spec).await?;
                vec![STAYS]
            }
        };
        world.ready(TENANT).await.context("adopting")?;
        for client in all {
            log_in(world, client).await?;
            check_document(world, client).await?;
        }
        Ok(())
    }
}

/// Waits until the first login is closed, and the first key is the one before.
async fn rotated(world: &World) -> Result<()> {
    let [first, second] = Identity::of(&world.namespace, TENANT, STAYS).roles();
    let previous = format!("{STAYS}.previous");
    world
        .until(|| async {
            let mut superuser = world.ground.postgres.superuser(&world.database).await?;
            let logins: Vec<String> = sqlx::query_scalar(
                "SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND rolname = ANY($1)",
            )
            .bind([&first, &second].map(String::as_str))
            .fetch_all(&mut superuser)
            .await?;
            superuser.close().await?;
            let path = world.path("api/v1", &format!("secrets/{TENANT}-api-keys"));
            let keys = world.ground.plane.admin.get(&path).await?;
            let keys = keys.unwrap_or_default();
            let rotated = logins == [second.clone()] && keys["data"][&previous].is_string();
            Ok(match rotated {
                true => Ok(()),
                false => Err(format!("{logins:?} can log in")),
            })
        })
        .await
}

fn schema(world: &World, client: &str) -> String {
    Identity::of(&world.namespace, TENANT, client).schema
}

/// Nothing is left of a client, whatever a clean run leaves.
async fn gone(world: &World, client: &str) -> Result<()> {
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
    let mut superuser = world.ground.postgres.superuser(&world.database).await?;
    let sql = format!(
        "INSERT INTO {schema}.document_metadata (filename, file_size, file_type, content_key, sha256)
         VALUES ('kept', 1, 'text/plain', gen_random_uuid(), sha256('kept'))"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut superuser)
        .await?;
    superuser.close().await?;
    world.ground.objects.put(&schema)
}

pub(crate) async fn check_document(world: &World, client: &str) -> Result<()> {
    let schema = schema(world, client);
    let mut superuser = world.ground.postgres.superuser(&world.database).await?;
    let sql = format!("SELECT count(*) FROM {schema}.document_metadata WHERE filename = 'kept'");
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(&mut superuser)
        .await?;
    superuser.close().await?;
    ensure!(rows == 1, "{client} has {rows} documents instead of 1");
    ensure!(
        world.ground.objects.has(&schema),
        "the content of {client} is lost"
    );
    Ok(())
}

/// Logs in with what the tenant's Secret says, as the API does.
pub(crate) async fn log_in(world: &World, client: &str) -> Result<()> {
    let tenant = world.tenant(TENANT).await?.unwrap_or_default();
    let clients = tenant["status"]["clients"].as_array();
    let known = clients
        .into_iter()
        .flatten()
        .find(|known| known["name"] == client);
    let role = known.and_then(|known| known["role"].as_str());
    let recorded = role.with_context(|| format!("the status names no role of {client}"))?;
    let path = world.path("api/v1", &format!("secrets/{TENANT}-credentials"));
    let secret: Option<Value> = world.ground.plane.admin.get(&path).await?;
    let password = secret
        .as_ref()
        .and_then(|secret| secret["data"][client].as_str())
        .and_then(decode)
        .with_context(|| format!("there is no password of {client}"))?;
    let role = secret
        .as_ref()
        .and_then(|secret| secret["data"][format!("{client}.role")].as_str())
        .and_then(decode)
        .unwrap_or_else(|| schema(world, client));
    ensure!(role == recorded, "the status names {recorded}, not {role}");
    let postgres = &world.ground.postgres;
    let connection = postgres.login(&world.database, &role, &password).await;
    connection
        .with_context(|| format!("{client} cannot log in"))?
        .close()
        .await?;
    Ok(())
}

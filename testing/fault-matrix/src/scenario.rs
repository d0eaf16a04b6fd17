//! What a user does to a tenant, from what it was before to what must hold in the end.

use anyhow::{Context as _, Result, ensure};
use docket_crds::annotations;
use docket_schema::Identity;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::client_data::{
    check_document, check_view, gone, schema, store_document, store_view, until_without_documents,
    without_documents,
};
use crate::issuer;
use crate::mask::decode;
use crate::snapshot;
use crate::specs::{autoscaling, documents, exposed_by_ingress, exposed_by_route};
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
    /// Page views, with a publishable key, and an issuer of tokens.
    AddWorkload,
    /// A new key to sign tokens with, up to where it signs.
    RotateSigningKeys,
    /// Page views less, their data kept.
    TakeOutRetain,
    /// Documents less, tables and content deleted.
    TakeOutDelete,
    /// The tenant goes, its data kept.
    DeleteRetain,
    /// The tenant goes with its data.
    DeleteDelete,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 13] = [
        Self::Create,
        Self::AddClient,
        Self::RemoveRetain,
        Self::RemoveDelete,
        Self::Rotate,
        Self::ChangeImage,
        Self::Autoscale,
        Self::AddWorkload,
        Self::RotateSigningKeys,
        Self::TakeOutRetain,
        Self::TakeOutDelete,
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
            Self::AddWorkload => "add a workload and an issuer",
            Self::RotateSigningKeys => "rotate signing keys",
            Self::TakeOutRetain => "take out a workload, Retain",
            Self::TakeOutDelete => "take out a workload, Delete",
            Self::DeleteRetain => "delete, Retain",
            Self::DeleteDelete => "delete, Delete",
        }
    }

    /// Whether the tenant is to be gone in the end.
    fn deletes(self) -> bool {
        matches!(self, Self::DeleteRetain | Self::DeleteDelete)
    }

    /// Whether the tenant has page views and an issuer from the beginning.
    fn begins_with_all(self) -> bool {
        matches!(
            self,
            Self::RotateSigningKeys | Self::TakeOutRetain | Self::TakeOutDelete
        )
    }

    /// The clients that are served in the end.
    fn served(self) -> &'static [&'static str] {
        match self {
            Self::Create | Self::AddClient | Self::TakeOutDelete => &[STAYS, GOES],
            Self::RemoveRetain
            | Self::RemoveDelete
            | Self::Rotate
            | Self::ChangeImage
            | Self::Autoscale
            | Self::AddWorkload
            | Self::RotateSigningKeys
            | Self::TakeOutRetain => &[STAYS],
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
            Self::RemoveRetain | Self::RemoveDelete | Self::TakeOutDelete => &[STAYS, GOES],
            _ => &[STAYS],
        };
        let policy = match self {
            Self::RemoveDelete | Self::DeleteDelete | Self::TakeOutDelete => "Delete",
            _ => "Retain",
        };
        let mut spec = world.spec();
        spec["clients"] = clients.iter().map(|name| json!({"name": name})).collect();
        spec["database"]["deletionPolicy"] = policy.into();
        if self == Self::Autoscale {
            spec["api"] = exposed_by_route();
        }
        issuer::watch(world);
        if self.begins_with_all() {
            spec["workloads"]["pageViews"] = page_views();
            spec["api"]["auth"] = issuing();
        }
        world.create(TENANT, &spec).await?;
        world.ready(TENANT).await?;
        for client in clients {
            store_document(world, client).await?;
            if self.begins_with_all() {
                store_view(world, client).await?;
            }
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
            Self::AddWorkload => {
                let added = json!({"workloads": {"pageViews": page_views()},
                    "api": {"auth": issuing()}});
                world.change(TENANT, &json!({"spec": added})).await
            }
            Self::RotateSigningKeys => {
                let asked = json!({annotations::ROTATE_SIGNING_KEYS: "1"});
                let change = json!({"metadata": {"annotations": asked}});
                world.change(TENANT, &change).await?;
                issuer::until_the_next_key_signs(world).await
            }
            Self::TakeOutRetain => {
                let left = json!({"workloads": {"pageViews": null}});
                world.change(TENANT, &json!({"spec": left})).await
            }
            Self::TakeOutDelete => {
                let left = documents(Value::Null);
                world.change(TENANT, &json!({"spec": left})).await
            }
            Self::DeleteRetain | Self::DeleteDelete => world.delete(TENANT).await,
        }
    }

    /// Waits until the tenant is as the user asked.
    pub(crate) async fn done(self, world: &World) -> Result<()> {
        if self == Self::Rotate {
            rotated(world).await?;
        }
        if self == Self::TakeOutDelete {
            for client in self.served() {
                until_without_documents(world, client).await?;
            }
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

    /// Names again what was taken out.
    async fn put_back(self, world: &World) -> Result<()> {
        let workloads = match self {
            Self::TakeOutRetain => json!({"pageViews": page_views()}),
            _ => world.spec()["workloads"].clone(),
        };
        let change = json!({"spec": {"workloads": workloads}});
        world.change(TENANT, &change).await?;
        world.ready(TENANT).await.context("putting back")
    }

    /// What must hold beside what a snapshot shows: credentials open, kept data is whole and can be
    /// adopted or named again, deleted data is gone, and no key to sign with was lost.
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
        match self {
            Self::AddWorkload => {
                issuer::check_told(world, 1)?;
                issuer::check_publishable_key(world, STAYS, true).await?;
                check_document(world, STAYS).await?;
            }
            Self::RotateSigningKeys => {
                issuer::check_told(world, 2)?;
                issuer::until_the_last_key_is_gone(world).await?;
            }
            Self::TakeOutRetain => {
                issuer::check_publishable_key(world, STAYS, false).await?;
                check_document(world, STAYS).await?;
                check_view(world, STAYS).await?;
                self.put_back(world).await?;
                issuer::check_publishable_key(world, STAYS, true).await?;
                check_view(world, STAYS).await?;
                issuer::check_told(world, 1)?;
            }
            Self::TakeOutDelete => {
                for client in self.served() {
                    without_documents(world, client).await?;
                    check_view(world, client).await?;
                }
                self.put_back(world).await?;
                for client in self.served() {
                    // Its tables are there again, and empty.
                    store_document(world, client).await?;
                    check_document(world, client).await?;
                    check_view(world, client).await?;
                }
                issuer::check_told(world, 1)?;
            }
            _ => {}
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

/// Page views that pages of one origin tell of.
fn page_views() -> Value {
    json!({"origins": ["https://www.docket.test"]})
}

/// Issues tokens, and asks for API keys beside them.
fn issuing() -> Value {
    json!({"issuer": {}})
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

//! The number of a tenant's pods goes from the spec to an autoscaler and back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, ensure};
use docket_crds::names;
use serde_json::{Value, json};

use crate::case::REST;
use crate::ground::Ground;
use crate::scenario::TENANT;
use crate::specs::{autoscaling, documents};
use crate::world::{UNHURRIED, World};

const DEPLOYMENT: &str = "deployments/acme-api";
const AUTOSCALER: &str = "horizontalpodautoscalers/acme-api";

/// Looks so often at the number of pods that none goes unseen before an autoscaler, which comes by
/// each second, changes it.
const OFTEN: Duration = Duration::from_millis(20);

/// The spec names a number, gives it to an autoscaler that has no reason to choose another, lets
/// somebody else scale, changes something else, and takes it back: the Deployment never has a number
/// that nobody asked for.
///
/// # Errors
/// What is otherwise than it should be.
pub async fn a_number_of_pods_changes_hands(ground: &Arc<Ground>) -> Result<()> {
    let world = Arc::new(World::make(ground.clone(), UNHURRIED).await?);
    let mut spec = world.spec();
    spec["clients"] = json!([{"name": "globex"}]);
    spec["api"] = json!({"replicas": 3});
    world.create(TENANT, &spec).await?;
    world.ready(TENANT).await?;
    let numbers = Arc::new(Mutex::new(BTreeSet::new()));
    let watching = tokio::spawn(watch(world.clone(), numbers.clone()));

    let given = json!({"replicas": Value::Null, "autoscaling": autoscaling(2, 5)});
    change(&world, given).await?;
    until(&world, "there is an autoscaler", async || {
        Ok(autoscaler(&world).await?.is_some())
    })
    .await?;
    change_uploads(&world, "1Gi").await?;
    let path = world.path("apis/apps/v1", DEPLOYMENT);
    let scaled = json!({"spec": {"replicas": 4}});
    world.ground.plane.admin.merge(&path, &scaled).await?;
    until(&world, "the pods are told how many they are", async || {
        Ok(told(&world).await? == Some(json!("NA==")))
    })
    .await?;
    change_uploads(&world, "2Gi").await?;
    ensure!(replicas(&world).await? == 4, "what others scaled stays");

    let taken = json!({"replicas": 3, "autoscaling": Value::Null});
    change(&world, taken).await?;
    until(&world, "the autoscaler is gone", async || {
        Ok(autoscaler(&world).await?.is_none() && replicas(&world).await? == 3)
    })
    .await?;
    world.quiet(REST).await?;
    watching.abort();
    let seen = numbers.lock().expect("no panic").clone();
    ensure!(seen == [3, 4].into(), "the numbers of pods were {seen:?}");
    // Whoever watched is gone, so nobody else has it.
    match Arc::into_inner(world) {
        Some(world) => world.end().await,
        None => Ok(()),
    }
}

async fn watch(world: Arc<World>, numbers: Arc<Mutex<BTreeSet<i64>>>) {
    loop {
        if let Ok(number) = replicas(&world).await {
            numbers.lock().expect("no panic").insert(number);
        }
        tokio::time::sleep(OFTEN).await;
    }
}

/// Changes `spec.api`, and waits until the tenant is so.
async fn change(world: &World, api: Value) -> Result<()> {
    let change = json!({"spec": {"api": api}});
    world.change(TENANT, &change).await?;
    world.ready(TENANT).await
}

/// Rolls the pods.
async fn change_uploads(world: &World, largest: &str) -> Result<()> {
    let change = documents(json!({"uploads": {"maxSize": largest}}));
    world.change(TENANT, &json!({"spec": change})).await?;
    world.ready(TENANT).await
}

async fn replicas(world: &World) -> Result<i64> {
    let path = world.path("apis/apps/v1", DEPLOYMENT);
    let deployment = world.ground.plane.admin.get(&path).await?;
    let number = deployment.and_then(|it| it["spec"]["replicas"].as_i64());
    number.ok_or_else(|| anyhow::anyhow!("there is no Deployment"))
}

async fn autoscaler(world: &World) -> Result<Option<Value>> {
    let path = world.path("apis/autoscaling/v2", AUTOSCALER);
    world.ground.plane.admin.get(&path).await
}

/// What the file says that pods read.
async fn told(world: &World) -> Result<Option<Value>> {
    let path = world.path("api/v1", &format!("secrets/{}", names::api_name(TENANT)));
    let secret = world.ground.plane.admin.get(&path).await?;
    Ok(secret.map(|secret| secret["data"]["replicas"].clone()))
}

async fn until(world: &World, what: &str, holds: impl AsyncFn() -> Result<bool>) -> Result<()> {
    world
        .until(|| async {
            Ok(match holds().await? {
                true => Ok(()),
                false => Err(format!("it is never so: {what}")),
            })
        })
        .await
}

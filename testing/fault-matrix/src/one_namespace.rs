//! Operators that have rights in one namespace each, and in no other.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::ground::Ground;
use crate::operator::Operator;
use crate::scenario::Scenario;
use crate::world::{UNHURRIED, World, make_namespace};

/// A tenant comes, loses a client, and goes with its data, by an operator that has the rights of the
/// chart's Role for one namespace.
///
/// # Errors
/// What is otherwise than with an operator that may work everywhere.
pub async fn a_life_in_one_namespace(ground: &Arc<Ground>) -> Result<()> {
    let world = World::of_one_namespace(ground.clone(), UNHURRIED).await?;
    life(&world).await?;
    world.end().await
}

/// Two such operators do so at the same time, and one that is told to care for the namespace of the first
/// waits, says why, and leaves it to that one.
///
/// # Errors
/// What is otherwise than with each alone.
pub async fn two_lives_side_by_side(ground: &Arc<Ground>) -> Result<()> {
    let first = World::of_one_namespace(ground.clone(), UNHURRIED).await?;
    let second = World::of_one_namespace(ground.clone(), UNHURRIED).await?;
    tokio::try_join!(life(&first), life(&second))?;

    let elsewhere = ground.next_name();
    make_namespace(ground, &elsewhere).await?;
    let lease = format!("docket-operator-{}", first.namespace);
    ground.plane.as_operator_of(&elsewhere, &lease).await?;
    let third = Operator::new(
        &ground.binary,
        ground.plane.folder(),
        &first.gateway.url(),
        &elsewhere,
        UNHURRIED,
    )?;
    let third = third.told(&[format!("--namespace={}", first.namespace)]);
    third.start()?;
    first
        .until(|| async {
            let said = third.last_words();
            Ok(match said.contains("another operator cares for") {
                true => Ok(()),
                false => Err(format!("nothing is said of another operator:\n{said}")),
            })
        })
        .await?;
    let claim = holder_of(&first, "docket-operator-claim").await?;
    let expected = format!("{}/{lease}", first.namespace);
    ensure!(
        claim == expected,
        "{expected} has lost its claim to {claim}"
    );
    third.stop();
    first.end().await?;
    second.end().await
}

async fn holder_of(world: &World, lease: &str) -> Result<String> {
    let leases = world.path("apis/coordination.k8s.io/v1", "leases");
    let found = world
        .ground
        .plane
        .admin
        .get(&format!("{leases}/{lease}"))
        .await?;
    let holder = found
        .as_ref()
        .and_then(|it: &Value| it["spec"]["holderIdentity"].as_str());
    Ok(holder.context("nobody holds the Lease")?.to_owned())
}

async fn life(world: &World) -> Result<()> {
    let life = async {
        Scenario::RemoveDelete.prepare(world).await?;
        for change in [Scenario::RemoveDelete, Scenario::DeleteDelete] {
            change.act(world).await?;
            change.done(world).await?;
        }
        Scenario::DeleteDelete.aftermath(world).await?;
        let events = world.path("apis/events.k8s.io/v1", "events");
        let events = world.ground.plane.admin.get(&events).await?;
        let count = events
            .as_ref()
            .and_then(|it| it["items"].as_array())
            .map_or(0, Vec::len);
        ensure!(count > 0, "no Event tells of it");
        Ok(())
    };
    let life: Result<()> = life.await;
    life.with_context(|| world.operator.last_words())
}

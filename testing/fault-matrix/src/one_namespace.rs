//! An operator that has rights in one namespace and in no other.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};

use crate::ground::Ground;
use crate::scenario::Scenario;
use crate::world::{UNHURRIED, World};

/// A tenant comes, loses a client, and goes with its data, by an operator that has the rights of the
/// chart's Role for one namespace.
///
/// # Errors
/// What is otherwise than with an operator that may work everywhere.
pub async fn a_life_in_one_namespace(ground: &Arc<Ground>) -> Result<()> {
    let world = World::of_one_namespace(ground.clone(), UNHURRIED).await?;
    let life = async {
        Scenario::RemoveDelete.prepare(&world).await?;
        for change in [Scenario::RemoveDelete, Scenario::DeleteDelete] {
            change.act(&world).await?;
            change.done(&world).await?;
        }
        Scenario::DeleteDelete.aftermath(&world).await?;
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
    life.with_context(|| world.operator.last_words())?;
    world.end().await
}

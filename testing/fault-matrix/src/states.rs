//! From one spec to another and back, also by way of one that cannot be: each comes to what a fresh
//! deploy of the last spec comes to.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use docket_crds::labels;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::case::{REST, arrive, rest};
use crate::ground::Ground;
use crate::snapshot::{self, CLIENTS};
use crate::specs::{self, BROKEN, HEADERS, OPENAI, Pair, TLS};
use crate::stale::forget_revisions;
use crate::world::{UNHURRIED, World, is_met};

/// Pairs that share a world, and its one operator.
const TOGETHER: usize = 5;

/// What came of it.
#[derive(Debug, Default)]
pub struct States {
    /// Pairs of specs.
    pub pairs: usize,
    /// What went wrong with which pair.
    pub failures: Vec<String>,
}

/// Goes between the specs of `count` pairs, in `parallel` worlds at a time; nothing may be written for
/// `resting` in a world whose pairs have come to their end.
///
/// # Errors
/// A task panicked.
pub async fn states(
    ground: &Arc<Ground>,
    count: usize,
    parallel: usize,
    resting: Duration,
) -> Result<States> {
    let turns = Arc::new(Semaphore::new(parallel));
    let mut worlds = JoinSet::new();
    for first in (0..count).step_by(TOGETHER) {
        let (ground, turns) = (ground.clone(), turns.clone());
        worlds.spawn(async move {
            let _turn = turns.acquire_owned().await;
            in_one_world(&ground, first, count, resting).await
        });
    }
    let mut states = States {
        pairs: count,
        ..States::default()
    };
    while let Some(ended) = worlds.join_next().await {
        let failures = ended.context("a world panicked")?;
        for failure in &failures {
            eprintln!("FAILED  {failure}\n");
        }
        states.failures.extend(failures);
    }
    Ok(states)
}

async fn in_one_world(
    ground: &Arc<Ground>,
    first: usize,
    count: usize,
    resting: Duration,
) -> Vec<String> {
    let world = match furnished(ground).await {
        Ok(world) => Arc::new(world),
        Err(error) => return vec![format!("pairs from {first}: {error:#}")],
    };
    let pairs = specs::pairs(count, &world.spec());
    let mut walks = JoinSet::new();
    for (at, pair) in pairs.into_iter().enumerate().skip(first).take(TOGETHER) {
        let world = world.clone();
        walks.spawn(async move { walk(&world, at, &pair).await });
    }
    let mut failures = Vec::new();
    while let Some(ended) = walks.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failures.push(format!("{error:#}")),
            Err(panic) => failures.push(panic.to_string()),
        }
    }
    if let Err(error) = steady(&world, resting).await {
        failures.push(format!("pairs from {first}: {error:#}"));
    }
    if let Some(world) = Arc::into_inner(world)
        && let Err(error) = world.end().await
    {
        failures.push(format!("pairs from {first}: {error:#}"));
    }
    failures
}

async fn furnished(ground: &Arc<Ground>) -> Result<World> {
    let world = World::make(ground.clone(), UNHURRIED).await?;
    let certificate = rcgen::generate_simple_self_signed(["docket.test".into()])?;
    let tls = json!({"tls.crt": certificate.cert.pem(), "ca.crt": certificate.cert.pem(),
        "tls.key": certificate.signing_key.serialize_pem()});
    world.put_secret(TLS, &tls).await?;
    let model = json!({"apiKey": "key"});
    world
        .put_secret_allowed_as(OPENAI, labels::MODEL_KEY, &model)
        .await?;
    let headers = json!({"authorization": "Bearer token"});
    world
        .put_secret_allowed_as(HEADERS, labels::TELEMETRY_HEADERS, &headers)
        .await?;
    world
        .put_secret_allowed_as(BROKEN, labels::MODEL_KEY, &json!({"port": "x"}))
        .await?;
    Ok(world)
}

async fn walk(world: &World, at: usize, pair: &Pair) -> Result<()> {
    let told = || {
        format!(
            "pair {at}, from {} to {} by way of {}",
            pair.a, pair.b, pair.invalid
        )
    };
    between(world, at, pair).await.with_context(told)
}

async fn between(world: &World, at: usize, pair: &Pair) -> Result<()> {
    let name = |letter: char| format!("t{at:04}{letter}");
    let (there_and_back, detour) = (name('w'), name('x'));
    let (fresh_a, fresh_b) = (name('y'), name('z'));
    for (tenant, spec) in [
        (&there_and_back, &pair.a),
        (&detour, &pair.a),
        (&fresh_a, &pair.a),
        (&fresh_b, &pair.b),
    ] {
        world.create(tenant, spec).await?;
    }
    for tenant in [&there_and_back, &detour, &fresh_a, &fresh_b] {
        world.ready(tenant).await.context("fresh")?;
    }
    world.replace(&there_and_back, &pair.b).await?;
    world.replace(&detour, &pair.invalid).await?;
    refused(world, &detour).await?;
    same(world, &there_and_back, &fresh_b, &pair.b)
        .await
        .context("A to B")?;
    world.replace(&there_and_back, &pair.a).await?;
    world.replace(&detour, &pair.b).await?;
    same(world, &there_and_back, &fresh_a, &pair.a)
        .await
        .context("A to B to A")?;
    same(world, &detour, &fresh_b, &pair.b)
        .await
        .context("A to invalid to B")
}

/// Waits until `tenant` is ready and as `fresh` is; what clients that are not in `spec` left in the
/// database is theirs.
async fn same(world: &World, tenant: &str, fresh: &str, spec: &Value) -> Result<()> {
    world.ready(tenant).await?;
    let clients: Vec<&str> = CLIENTS
        .into_iter()
        .filter(|name| {
            let clients = spec["clients"].as_array();
            clients
                .into_iter()
                .flatten()
                .any(|client| client["name"] == *name)
        })
        .collect();
    let mut wanted = snapshot::take(world, fresh, &clients).await?;
    forget_revisions(&mut wanted);
    arrive(world, tenant, &clients, &wanted, forget_revisions).await
}

async fn refused(world: &World, tenant: &str) -> Result<()> {
    world
        .until(|| async {
            let found = world.tenant(tenant).await?.unwrap_or_default();
            Ok(match is_met(&found, "False") {
                true => Ok(()),
                false => Err(format!(
                    "what cannot be is not refused: {}",
                    found["status"]
                )),
            })
        })
        .await
}

async fn steady(world: &World, resting: Duration) -> Result<()> {
    world.quiet(REST).await?;
    rest(world, resting).await?;
    world.operator.crash()?;
    world.quiet(REST).await?;
    rest(world, REST).await.context("after a restart")
}

//! What the operator knows is late, or has a gap: watches that freeze, skip, break and expire while
//! objects go and come back with another uid.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use docket_crds::names::{api_keys_secret, api_name, collector_config_map, credentials_secret};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::case::{Outcome, REST, arrive, rest};
use crate::client_data::{check_document, store_document};
use crate::gateway::Disturbance;
use crate::ground::Ground;
use crate::scenario::{TENANT, log_in};
use crate::snapshot::{self, CLIENTS, State};
use crate::specs::{autoscaling, exposed_by_ingress, exposed_by_route};
use crate::world::{LOOK, PATIENCE, UNHURRIED, World};

/// The tenant's one client.
const CLIENT: &str = "globex";

/// The name of an object, made of the tenant's.
type Name = fn(&str) -> String;

/// A resource that the operator watches, and the objects of it that go while its watch is disturbed.
const WATCHED: [(&str, &str, &[Name]); 12] = [
    ("documenttenants", "apis/docket.dev/v1alpha1", &[]),
    (
        "secrets",
        "api/v1",
        &[credentials_secret, api_keys_secret, api_name],
    ),
    ("configmaps", "api/v1", &[collector_config_map]),
    ("services", "api/v1", &[api_name]),
    ("serviceaccounts", "api/v1", &[api_name]),
    ("networkpolicies", "apis/networking.k8s.io/v1", &[api_name]),
    ("ingresses", "apis/networking.k8s.io/v1", &[api_name]),
    (
        "httproutes",
        "apis/gateway.networking.k8s.io/v1",
        &[api_name],
    ),
    (
        "horizontalpodautoscalers",
        "apis/autoscaling/v2",
        &[api_name],
    ),
    ("poddisruptionbudgets", "apis/policy/v1", &[api_name]),
    ("deployments", "apis/apps/v1", &[api_name]),
    ("pods", "api/v1", &[]),
];

const DISTURBANCES: [Disturbance; 4] = [
    Disturbance::Freeze,
    Disturbance::Coalesce,
    Disturbance::Gone,
    Disturbance::Cut,
];

/// How every watch took every disturbance.
#[derive(Debug, Default)]
pub struct Staleness(BTreeMap<(usize, usize), Outcome>);

/// Disturbs each watch in each way, `parallel` watches at a time; nothing may be written for `steady`
/// after each.
///
/// # Errors
/// A case panicked.
pub async fn stale(ground: &Arc<Ground>, parallel: usize, steady: Duration) -> Result<Staleness> {
    let turns = Arc::new(Semaphore::new(parallel));
    let mut cases = JoinSet::new();
    for watched in 0..WATCHED.len() {
        let (ground, turns) = (ground.clone(), turns.clone());
        cases.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let mut outcomes = Vec::new();
            let reference = run(&ground, watched, None, steady).await;
            for (at, disturbance) in DISTURBANCES.into_iter().enumerate() {
                let outcome = match &reference {
                    Err(error) => Outcome::Failed(format!("undisturbed: {error:#}")),
                    Ok(reference) => {
                        match run(&ground, watched, Some((disturbance, reference)), steady).await {
                            Ok(_) => Outcome::Passed,
                            Err(error) => Outcome::Failed(format!("{error:#}")),
                        }
                    }
                };
                outcomes.push(((watched, at), outcome));
            }
            outcomes
        });
    }
    let mut all = Staleness::default();
    while let Some(ended) = cases.join_next().await {
        for (key, outcome) in ended.context("a case panicked")? {
            if let Outcome::Failed(why) = &outcome {
                let (resource, disturbance) = (WATCHED[key.0].0, DISTURBANCES[key.1]);
                eprintln!("FAILED  {resource}, {disturbance:?}: {why}\n");
            }
            all.0.insert(key, outcome);
        }
    }
    Ok(all)
}

impl Staleness {
    /// The watches and disturbances that failed.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        let failures = self.0.iter().filter(move |(_, outcome)| failed(outcome));
        failures
            .map(|((watched, at), _)| format!("{}, {:?}", WATCHED[*watched].0, DISTURBANCES[*at]))
    }

    /// A Markdown table: a row a watch, a column a disturbance.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text =
            "| watch of | frozen | coalesced | 410 Gone | cut in mid chunk |\n".to_owned();
        text.push_str("| --- | --- | --- | --- | --- |\n");
        for (watched, (resource, ..)) in WATCHED.iter().enumerate() {
            let marks = (0..DISTURBANCES.len()).map(|at| match self.0.get(&(watched, at)) {
                Some(Outcome::Failed(_)) => "**0 of 1**",
                Some(_) => "1 of 1",
                None => "",
            });
            let marks: Vec<&str> = marks.collect();
            let _ = writeln!(text, "| {resource} | {} |", marks.join(" | "));
        }
        text
    }
}

/// Disturbs one watch in one way; nothing may be written for `steady` afterwards.
///
/// # Errors
/// What is otherwise than it should be.
pub async fn disturbed(
    ground: &Arc<Ground>,
    resource: &str,
    disturbance: Disturbance,
    steady: Duration,
) -> Result<()> {
    let watched = WATCHED.iter().position(|(name, ..)| *name == resource);
    let watched = watched.context("a resource that is watched")?;
    let reference = run(ground, watched, None, steady).await?;
    run(ground, watched, Some((disturbance, &reference)), steady).await?;
    Ok(())
}

/// A tenant is changed and its objects go while a watch is disturbed, if it is, and comes to what a
/// run without that came to; returns what it comes to.
async fn run(
    ground: &Arc<Ground>,
    watched: usize,
    disturbed: Option<(Disturbance, &State)>,
    steady: Duration,
) -> Result<State> {
    let disturbance = disturbed.map(|(disturbance, _)| disturbance);
    let (resource, group, objects) = WATCHED[watched];
    let world = World::make(ground.clone(), UNHURRIED).await?;
    create(&world, asking_for(resource)).await?;
    world.ready(TENANT).await?;
    world.quiet(REST).await?;
    world.gateway.disturb(resource, disturbance);
    for name in objects {
        let path = world.path(group, &format!("{resource}/{}", name(TENANT)));
        world.ground.plane.admin.delete(&path).await?;
    }
    if resource == "pods" {
        let pods = world.path("api/v1", "pods");
        world.ground.plane.admin.delete(&pods).await?;
    }
    for turn in ["one", "two", "three"] {
        // Each brings the tenant up for a reconcile that sees what the watches show.
        let touched = json!({"metadata": {"annotations": {"turn": turn}},
            "spec": {"workloads": {"documents": {"uploads": {"maxSize": format!("{}Gi", turn.len())}}}}});
        world.change(TENANT, &touched).await?;
        tokio::time::sleep(LOOK / 3).await;
    }
    if disturbance.is_some() {
        world.quiet(REST).await?;
    }
    world.gateway.disturb(resource, None);
    world.ready(TENANT).await?;
    // On a busy machine a watch may bring late that an object went.
    world.quiet(3 * REST).await?;
    if let Some((_, reference)) = disturbed {
        arrive(&world, TENANT, &CLIENTS, reference, forget_revisions).await?;
    }
    rest(&world, steady).await?;
    log_in(&world, CLIENT).await?;
    let mut found = snapshot::take(&world, TENANT, &CLIENTS).await?;
    forget_revisions(&mut found);
    world.end().await?;
    Ok(found)
}

/// How many rollouts three changes become depends on how many of them are seen.
pub(crate) fn forget_revisions(state: &mut State) {
    state.remove("replicasets of 0");
    for (name, object) in state {
        if name.starts_with("deployments/")
            && let Some(annotations) = object["metadata"]["annotations"].as_object_mut()
        {
            annotations.remove("deployment.kubernetes.io/revision");
        }
    }
}

/// What makes a tenant have objects of `resource`, as a part of its spec.
fn asking_for(resource: &str) -> Value {
    match resource {
        "ingresses" => json!({"api": exposed_by_ingress()}),
        "httproutes" => json!({"api": exposed_by_route()}),
        "horizontalpodautoscalers" => json!({"api": {"autoscaling": autoscaling(1, 1)}}),
        _ => json!({}),
    }
}

async fn create(world: &World, more: Value) -> Result<()> {
    let mut spec = world.spec();
    spec["clients"] = json!([{"name": CLIENT}]);
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    world.create(TENANT, &spec).await
}

/// A tenant is deleted, and another one of its name takes its data over, while the operator still
/// believes in the first.
///
/// # Errors
/// What is otherwise than it should be.
pub async fn a_tenant_that_comes_back_unseen(ground: &Arc<Ground>) -> Result<()> {
    let world = World::make(ground.clone(), UNHURRIED).await?;
    create(&world, json!({})).await?;
    world.ready(TENANT).await?;
    store_document(&world, CLIENT).await?;
    world.quiet(REST).await?;
    world.script.begin(None);
    let before = uid(&world).await?;
    world.delete(TENANT).await?;
    // It has seen the deletion when it deletes the pods; it is not to see the end.
    let start = Instant::now();
    let deletes = |call: &str| call == "DELETE deployments/acme-api";
    while !world.script.calls().iter().any(|it| deletes(&it.call)) {
        ensure!(start.elapsed() < PATIENCE, "the pods are not deleted");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    world
        .gateway
        .disturb("documenttenants", Some(Disturbance::Freeze));
    while world.tenant(TENANT).await?.is_some() {
        ensure!(start.elapsed() < PATIENCE, "the tenant does not go");
        tokio::time::sleep(LOOK).await;
    }
    create(
        &world,
        json!({"clients": [{"name": CLIENT, "adopt": true}]}),
    )
    .await?;
    let after = uid(&world).await?;
    ensure!(before != after, "it is another tenant");
    for turn in ["one", "two"] {
        // Brings up what the operator believes in.
        let path = world.path("api/v1", "secrets/docket-database");
        let touched = json!({"metadata": {"annotations": {"turn": turn}}});
        world.ground.plane.admin.merge(&path, &touched).await?;
        tokio::time::sleep(REST).await;
    }
    let unseen = world.tenant(TENANT).await?.unwrap_or_default();
    ensure!(unseen["metadata"]["uid"] == after, "the tenant is lost");
    ensure!(
        unseen["metadata"]["finalizers"].is_null() && unseen["status"].is_null(),
        "it was written to in the name of the one before: {unseen}"
    );
    world.gateway.disturb("documenttenants", None);
    world.ready(TENANT).await?;
    log_in(&world, CLIENT).await?;
    check_document(&world, CLIENT).await?;
    world.quiet(REST).await?;
    rest(&world, REST).await?;
    world.end().await
}

async fn uid(world: &World) -> Result<Value> {
    let tenant = world.tenant(TENANT).await?.context("a tenant")?;
    Ok(tenant["metadata"]["uid"].clone())
}

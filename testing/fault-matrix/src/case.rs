//! One run of a scenario, clean or with one fault, and what is found in the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::sync::Semaphore;

use crate::gateway::RETRY_AFTER;
use crate::ground::Ground;
use crate::scenario::{Scenario, TENANT};
use crate::script::{Fault, Point};
use crate::snapshot::{self, CLIENTS, State};
use crate::world::{LOOK, PATIENCE, World};

/// Nothing comes by for this long: the operator has seen all there is to see.
pub(crate) const REST: Duration = Duration::from_secs(1);

/// How long the operator waits for an answer here, so that a hang is over soon.
const DEADLINE: Duration = Duration::from_secs(2);

/// What a clean run of a scenario does, and comes to.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Its calls, in their order.
    pub points: Vec<Point>,
    state: State,
    commits: BTreeMap<String, u32>,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It came to what a clean run comes to.
    Passed,
    /// This time the operator did without the call; it came to the same.
    NotMet,
    /// What is otherwise than in a clean run.
    Failed(String),
}

/// Learns a scenario: runs it twice without a fault. Calls that only one of the runs makes, because
/// pods were faster or slower, are left out. Nothing may be written for `steady` after each.
///
/// # Errors
/// The clean runs differ, or come to no end.
pub async fn learn(
    ground: &Arc<Ground>,
    scenario: Scenario,
    steady: Duration,
) -> Result<Reference> {
    let (first, second) = tokio::try_join!(
        clean(ground, scenario, steady),
        clean(ground, scenario, steady),
    )
    .with_context(|| format!("a clean run of {}", scenario.name()))?;
    let difference = snapshot::difference(&first.state, &second.state);
    ensure!(
        difference.is_empty(),
        "two clean runs of {} differ:\n{}",
        scenario.name(),
        difference.join("\n")
    );
    let mut points = first.points;
    points.retain(|point| second.points.contains(point));
    Ok(Reference { points, ..second })
}

async fn clean(ground: &Arc<Ground>, scenario: Scenario, steady: Duration) -> Result<Reference> {
    let world = World::make(ground.clone(), DEADLINE).await?;
    scenario.prepare(&world).await?;
    world.quiet(REST).await?;
    world.script.begin(None);
    scenario.act(&world).await?;
    scenario.done(&world).await?;
    world.quiet(REST).await?;
    rest(&world, steady).await?;
    let reference = Reference {
        points: world.script.calls(),
        commits: world.script.commits(),
        state: snapshot::take(&world, TENANT, &CLIENTS).await?,
    };
    scenario.aftermath(&world).await?;
    world.end().await?;
    Ok(reference)
}

/// How many cases run side by side: with more operators than the machine can carry, none would
/// renew its Lease in time.
#[derive(Debug)]
pub struct Turns {
    /// Cases that do something.
    busy: Semaphore,
    /// Those, and the ones that only watch that nothing is written.
    worlds: Semaphore,
}

impl Turns {
    /// Turns for `parallel` cases that do something, and `watching` beside them.
    #[must_use]
    pub fn new(parallel: usize, watching: usize) -> Self {
        Self {
            busy: Semaphore::new(parallel),
            worlds: Semaphore::new(parallel + watching),
        }
    }
}

/// One case: what is done, and what goes wrong.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the user does.
    pub scenario: Scenario,
    /// Where the fault strikes.
    pub point: Point,
    /// What goes wrong.
    pub fault: Fault,
    /// How long nothing may be written afterwards.
    pub steady: Duration,
}

impl Case {
    /// Runs it when `turns` has a turn, and compares with `reference`. It takes no turn while it
    /// only watches that nothing is written.
    pub async fn run(self, ground: &Arc<Ground>, reference: &Reference, turns: &Turns) -> Outcome {
        let _world = turns.worlds.acquire().await;
        let turn = turns.busy.acquire().await;
        let world = match World::make(ground.clone(), DEADLINE).await {
            Ok(world) => world,
            Err(error) => return Outcome::Failed(format!("{error:#}")),
        };
        let outcome = async {
            let met = self.strike(&world, reference).await?;
            drop(turn);
            rest(&world, self.steady).await?;
            let _turn = turns.busy.acquire().await;
            self.check(&world, reference).await?;
            Ok::<_, anyhow::Error>(met)
        };
        let outcome = match outcome.await {
            Ok(true) => Outcome::Passed,
            Ok(false) => Outcome::NotMet,
            Err(error) => Outcome::Failed(format!(
                "{error:#}\n--- the operator's last words:\n{}",
                world.operator.last_words()
            )),
        };
        match world.end().await {
            Ok(()) => outcome,
            Err(error) => Outcome::Failed(format!("{outcome:?}, and then: {error:#}")),
        }
    }

    /// Lets the fault strike, and waits until everything is as in a clean run; false when the call
    /// that it should strike was not made.
    async fn strike(&self, world: &World, reference: &Reference) -> Result<bool> {
        self.scenario.prepare(world).await.context("preparing")?;
        world.quiet(REST).await?;
        world.script.begin(Some((self.point.clone(), self.fault)));
        self.scenario.act(world).await?;
        struck(world).await?;
        // What comes of a status that differs in its times only is not seen: that it comes is waited for.
        match self.fault {
            Fault::Hang => tokio::time::sleep(DEADLINE + LOOK).await,
            Fault::TooMany => tokio::time::sleep(RETRY_AFTER + LOOK).await,
            _ => {}
        }
        self.scenario.done(world).await?;
        arrive(world, TENANT, &CLIENTS, &reference.state, |_| {}).await?;
        world.quiet(REST).await?;
        Ok(world.script.met())
    }

    /// What must hold once everything has come to rest.
    async fn check(&self, world: &World, reference: &Reference) -> Result<()> {
        let found = snapshot::take(world, TENANT, &CLIENTS).await?;
        let difference = snapshot::difference(&reference.state, &found);
        ensure!(
            difference.is_empty(),
            "afterwards it changed:\n{}",
            difference.join("\n")
        );
        let (wanted, found) = (&reference.commits, world.script.commits());
        ensure!(
            *wanted == found,
            "what was created, run and deleted: wanted {wanted:?}, found {found:?}"
        );
        // What is steady stays so for an operator that knows nothing of what was before.
        world.script.begin(None);
        world.operator.crash()?;
        world.quiet(REST).await?;
        rest(world, REST).await.context("after a restart")?;
        self.scenario.aftermath(world).await.context("in the end")
    }
}

/// Waits until the fault has struck, or nothing more comes by that it could strike.
async fn struck(world: &World) -> Result<()> {
    let start = Instant::now();
    while !world.script.met() {
        let rested = world
            .script
            .last()
            .is_some_and(|last| last.elapsed() > 2 * REST);
        if rested && start.elapsed() > 2 * REST {
            return Ok(());
        }
        ensure!(start.elapsed() < PATIENCE, "the operator never rests");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until a tenant with `clients` is as `wanted`, less what `forget` takes out.
pub(crate) async fn arrive(
    world: &World,
    tenant: &str,
    clients: &[&str],
    wanted: &State,
    forget: fn(&mut State),
) -> Result<()> {
    let start = Instant::now();
    loop {
        let mut found = snapshot::take(world, tenant, clients).await?;
        forget(&mut found);
        let difference = snapshot::difference(wanted, &found);
        if difference.is_empty() {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            bail!(
                "{PATIENCE:?} later it is otherwise:\n{}",
                difference.join("\n")
            );
        }
        tokio::time::sleep(2 * LOOK).await;
    }
}

/// Nothing is written for `time`.
pub(crate) async fn rest(world: &World, time: Duration) -> Result<()> {
    let before = world.script.write_count();
    tokio::time::sleep(time).await;
    let writes = world.script.write_count() - before;
    ensure!(writes == 0, "{writes} writes in a steady state");
    Ok(())
}

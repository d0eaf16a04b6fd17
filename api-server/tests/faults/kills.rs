//! SIGKILL at random moments, in the middle of many uploads.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};

use crate::client::{Clients, WITHOUT_KEY};
use crate::ledger::{Acknowledged, check};
use crate::stack::{Part, Stack, TURN};
use crate::support::eventually;

/// Documents of before the last check that are read again at each.
const SAMPLE: usize = 20;

struct Plan {
    kills: usize,
    uploads: usize,
    at_once: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_death_of_any_part() {
    run(&Plan {
        kills: 3,
        uploads: 180,
        at_once: 96,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-faults"]
async fn what_was_acknowledged_survives_fifty_deaths_among_two_thousand_uploads() {
    let set = |name, default| match std::env::var(name) {
        Ok(value) => value.parse().expect("a number"),
        Err(_) => default,
    };
    run(&Plan {
        kills: set("DOCKET_FAULTS_KILLS", 50),
        uploads: set("DOCKET_FAULTS_UPLOADS", 2000),
        at_once: 256,
    })
    .await;
}

/// Prints the seed when a test fails; `DOCKET_FAULTS_SEED` repeats its choices.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to choose the same again: DOCKET_FAULTS_SEED={}", self.0);
        }
    }
}

async fn run(plan: &Plan) {
    let given = std::env::var("DOCKET_FAULTS_SEED").ok();
    let given = given.map(|seed| seed.parse().expect("a number"));
    let seed = Seed(given.unwrap_or_else(|| rand::rng().random()));
    let mut random = StdRng::seed_from_u64(seed.0);
    let _turn = TURN.lock().await;
    let mut stack = Stack::start(&[]).await;
    let clients = Clients::of(&stack, seed.0);
    let work = |_| tokio::spawn(clients.clone().work());
    let workers: Vec<_> = (0..plan.at_once).map(work).collect();

    let mut parts = Vec::new();
    let mut checked = 0;
    for kill in 1..=plan.kills {
        // Some more for each kill, so that every one comes in the middle of uploads.
        let released = plan.uploads * kill / plan.kills - plan.uploads * (kill - 1) / plan.kills;
        clients.released.add_permits(released);
        let before = clients.begun.load(Ordering::Relaxed);
        while clients.begun.load(Ordering::Relaxed) < before + released as u64 / 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..100))).await;
        if parts.is_empty() {
            // At first the API server, so that the leases of its keys end while the test goes on.
            parts = vec![Part::S3, Part::Postgres, Part::Api];
            if kill > 1 {
                parts.shuffle(&mut random);
            }
        }
        let part = parts.pop().expect("a part");
        let away = Duration::from_millis(random.random_range(0..600));
        stack.kill(part);
        tokio::time::sleep(away).await;
        stack.resume(part);
        let recovery = stack.works_again().await;

        let promised = clients.ledger.all();
        let (old, new) = promised.split_at(checked);
        let mut read: Vec<Acknowledged> = old.sample(&mut random, SAMPLE).cloned().collect();
        read.extend_from_slice(new);
        check(&stack, &promised, &read).await;
        clients.ledger.nothing_was_wrong();
        checked = promised.len();
        eprintln!(
            "kill {kill} of {}: {part:?}, away for {away:?}, all well {recovery:.0?} later; \
             {checked} acknowledged, {} attempts repeated",
            plan.kills,
            clients.retries.load(Ordering::Relaxed),
        );
    }
    while clients.released.available_permits() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    clients.released.close();
    for worker in workers {
        worker.await.expect("a client");
    }

    clients.ledger.nothing_was_wrong();
    let promised = clients.ledger.all();
    let holdings = check(&stack, &promised, &promised).await;
    let rows = holdings.iter().flat_map(|it| it.rows.values());
    let names: Vec<&str> = rows.map(|it| it.filename.as_str()).collect();
    let different: HashSet<&str> = names.iter().copied().collect();
    assert_eq!(different.len(), plan.uploads, "each is stored");
    let keyed = |name: &&str| !name.starts_with(WITHOUT_KEY);
    assert_eq!(
        names.iter().copied().filter(keyed).count(),
        different.iter().copied().filter(keyed).count(),
        "what has a key is stored once, however often it was sent"
    );
    let rows = names.len();
    let orphans: usize = holdings.iter().map(|it| it.orphans()).sum();
    eprintln!(
        "{} acknowledged, {rows} stored, {orphans} contents without a document, {} uploads in parts left",
        promised.len(),
        stack.dangling(),
    );
    nothing_is_left_behind(&mut stack, &promised).await;
}

/// A sweep takes what the deaths left, and nothing that was promised.
async fn nothing_is_left_behind(stack: &mut Stack, promised: &[Acknowledged]) {
    stack
        .restart_api(&[
            "--orphan-grace=1s",
            "--orphan-wait=1s",
            "--maintenance-interval=100ms",
        ])
        .await;
    eventually("no content is without a document", async || {
        let holdings = check(stack, promised, &[]).await;
        holdings.iter().all(|it| it.orphans() == 0)
    })
    .await;
    check(stack, promised, promised).await;
}

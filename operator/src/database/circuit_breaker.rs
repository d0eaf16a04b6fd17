//! Whether a database can be reached. While it cannot, one who tries finds out for all: each try takes
//! seconds, and with many tenants of one database those of all others would wait behind them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Problem;

/// What was found this long ago says nothing about now.
const STALE: Duration = Duration::from_secs(30);

/// Databases that are out are tried at the same time by so many of those who reconcile: the others are for tenants
/// whose databases answer.
const TRIES: usize = 4;

/// The right to try one of the databases that are out.
pub(super) fn tries() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(TRIES))
}

/// What is known of one database, shared by all who want a session in it.
#[derive(Clone, Debug)]
pub(super) struct CircuitBreaker {
    state: Arc<Mutex<State>>,
    tries: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    /// Why there was no session, and when that was found.
    found: Option<(Problem, Instant)>,
    /// Somebody tries whether it is over.
    tried: bool,
}

/// The right to try.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    outage: &'a CircuitBreaker,
    /// Others are told what was found before until this one ends.
    alone: Option<OwnedSemaphorePermit>,
}

impl CircuitBreaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// That of a database of which nothing is known, one of those that share `tries`.
    pub fn new(tries: Arc<Semaphore>) -> Self {
        Self {
            state: Arc::default(),
            tries,
        }
    }

    /// The right to try; in an outage, one has it at a time, and few databases are tried.
    ///
    /// # Errors
    /// What was found last, while another tries, or others are tried.
    pub fn turn(&self) -> Result<Attempt<'_>, Problem> {
        let mut state = self.state();
        let found = state.found.as_ref();
        let fresh = found.filter(|(_, at)| at.elapsed() < STALE);
        let mut alone = None;
        if let Some((problem, _)) = fresh {
            let turn = self.tries.clone().try_acquire_owned();
            alone = turn.ok().filter(|_| !state.tried);
            if alone.is_none() {
                return Err(problem.clone());
            }
            state.tried = true;
        }
        Ok(Attempt {
            outage: self,
            alone,
        })
    }
}

impl Attempt<'_> {
    /// There is a session.
    pub fn reached(self) {
        self.outage.state().found = None;
    }

    /// There is none, because of `problem`.
    pub fn not_reached(self, problem: Problem) {
        self.outage.state().found = Some((problem, Instant::now()));
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.alone.is_some() {
            self.outage.state().tried = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_crds::ConditionType;

    fn down() -> Problem {
        Problem::new(
            ConditionType::DatabaseReady,
            "DatabaseUnavailable",
            "It is down.",
        )
    }

    fn new() -> CircuitBreaker {
        CircuitBreaker::new(tries())
    }

    #[test]
    fn of_many_databases_that_are_out_few_are_tried_at_a_time() {
        let tries = tries();
        let outages: Vec<CircuitBreaker> = (0..TRIES + 3)
            .map(|_| CircuitBreaker::new(tries.clone()))
            .collect();
        for outage in &outages {
            outage.turn().expect("a turn").not_reached(down());
        }
        let turns: Vec<_> = outages.iter().map(CircuitBreaker::turn).collect();
        assert_eq!(turns.iter().filter(|turn| turn.is_ok()).count(), TRIES);
        drop(turns);
        assert!(outages[TRIES].turn().is_ok(), "its turn comes");
        assert!(
            CircuitBreaker::new(tries).turn().is_ok(),
            "one that answers"
        );
    }

    #[test]
    fn all_may_try_at_once_while_nothing_is_wrong() {
        let outage = new();
        let turns = [outage.turn(), outage.turn()];
        assert!(turns.iter().all(Result::is_ok));
    }

    #[test]
    fn in_an_outage_one_tries_and_the_others_are_told_what_was_found() {
        let outage = new();
        outage.turn().expect("a turn").not_reached(down());
        let one = outage.turn().expect("a turn");
        assert_eq!(outage.turn().expect_err("told"), down());
        one.reached();
        let turns = [outage.turn(), outage.turn()];
        assert!(turns.iter().all(Result::is_ok), "it is over");
    }

    #[test]
    fn one_who_gives_up_without_an_answer_leaves_the_turn_to_the_next() {
        let outage = new();
        outage.turn().expect("a turn").not_reached(down());
        drop(outage.turn().expect("a turn"));
        assert!(outage.turn().is_ok());
    }

    #[test]
    fn what_was_found_long_ago_holds_nobody_up() {
        let outage = new();
        let long_ago = Instant::now()
            .checked_sub(STALE)
            .expect("a machine that runs for longer");
        outage.state().found = Some((down(), long_ago));
        let turns = [outage.turn(), outage.turn()];
        assert!(turns.iter().all(Result::is_ok));
    }
}

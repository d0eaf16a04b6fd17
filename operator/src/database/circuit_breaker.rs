//! Whether a database can be reached. While it cannot, one who tries finds out for all: each try takes
//! seconds, and with many tenants of one database those of all others would wait behind them. So they would behind many
//! databases that nobody has heard of yet: few of these are tried at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Semaphore;

use super::failure::NoSession;
use super::shares::{Place, UNPROVEN_QUEUE, place};
use crate::error::Problem;

/// What was found this long ago says nothing about now.
const STALE: Duration = Duration::from_secs(30);

/// What is known of one database, shared by all who want a session in it.
#[derive(Clone, Debug)]
pub(super) struct CircuitBreaker {
    state: Arc<Mutex<State>>,
    /// The places of those who try databases that have not answered yet, or not any more.
    unproven: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    /// It answered when it was last asked.
    answers: bool,
    /// Why there was no session, and when that was found.
    found: Option<(Problem, Instant)>,
    /// Somebody tries whether it is over.
    tried: bool,
}

/// The right to try.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    outage: &'a CircuitBreaker,
    /// That of a database that may not answer.
    _place: Option<Place>,
    /// Others are told what was found before until this one ends.
    alone: bool,
}

impl CircuitBreaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// That of a database of which nothing is known, one of those that share the places `unproven`.
    pub fn new(unproven: Arc<Semaphore>) -> Self {
        Self {
            state: Arc::default(),
            unproven,
        }
    }

    /// The right to try. Few databases that may not answer are tried at a time, and one that is out by one at a time.
    ///
    /// # Errors
    /// What was found last, while another tries, or others are tried.
    pub async fn turn(&self) -> Result<Attempt<'_>, NoSession> {
        if let Some(turn) = self.turn_now()? {
            return Ok(turn);
        }
        let place = place(&self.unproven, UNPROVEN_QUEUE).await;
        let place = place.map_err(NoSession::Queued);
        // Somebody else may have been let in meanwhile, or not.
        if let Some(turn) = self.turn_now()? {
            return Ok(turn);
        }
        let found = self.state().found.clone();
        match (place, found) {
            (Ok(place), _) => Ok(self.attempt(Some(place), false)),
            (Err(_), Some((problem, _))) => Err(NoSession::Unreachable(problem)),
            (Err(queued), None) => Err(queued),
        }
    }

    /// The right to try, or none; nothing where it takes a place that is to be waited for.
    fn turn_now(&self) -> Result<Option<Attempt<'_>>, NoSession> {
        let mut state = self.state();
        if state.answers {
            return Ok(Some(self.attempt(None, false)));
        }
        let fresh = state.found.as_ref();
        let Some((problem, _)) = fresh.filter(|(_, at)| at.elapsed() < STALE) else {
            return Ok(None);
        };
        let place = self.unproven.clone().try_acquire_owned();
        let Some(place) = place.ok().filter(|_| !state.tried) else {
            return Err(NoSession::Unreachable(problem.clone()));
        };
        state.tried = true;
        Ok(Some(self.attempt(Some(place), true)))
    }

    fn attempt(&self, place: Option<Place>, alone: bool) -> Attempt<'_> {
        Attempt {
            outage: self,
            _place: place,
            alone,
        }
    }

    /// Something was not answered: it is not known whether the next thing will be.
    pub fn doubt(&self) {
        self.state().answers = false;
    }
}

impl Attempt<'_> {
    /// There is a session.
    pub fn reached(self) {
        let mut state = self.outage.state();
        state.found = None;
        state.answers = true;
    }

    /// There is none, because of `problem`.
    pub fn not_reached(self, problem: Problem) {
        let mut state = self.outage.state();
        state.found = Some((problem, Instant::now()));
        state.answers = false;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.alone {
            self.outage.state().tried = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::shares::Shares;
    use docket_crds::ConditionType;

    /// Of all that may not answer so many are tried at a time.
    const TRIES: usize = 4;

    fn unproven() -> Arc<Semaphore> {
        Shares::of(16).unproven()
    }

    fn down() -> Problem {
        Problem::new(
            ConditionType::DatabaseReady,
            "DatabaseUnavailable",
            "It is down.",
        )
    }

    fn new() -> CircuitBreaker {
        CircuitBreaker::new(unproven())
    }

    #[tokio::test]
    async fn of_many_databases_that_are_out_few_are_tried_at_a_time() {
        let unproven = unproven();
        let outages: Vec<CircuitBreaker> = (0..TRIES + 3)
            .map(|_| CircuitBreaker::new(unproven.clone()))
            .collect();
        for outage in &outages {
            outage.turn().await.expect("a turn").not_reached(down());
        }
        let answers = CircuitBreaker::new(unproven);
        answers.turn().await.expect("a turn").reached();
        let mut turns = Vec::new();
        for outage in &outages {
            turns.push(outage.turn().await);
        }
        assert_eq!(turns.iter().filter(|turn| turn.is_ok()).count(), TRIES);
        assert!(answers.turn().await.is_ok(), "one that answers");
        drop(turns);
        assert!(outages[TRIES].turn().await.is_ok(), "its turn comes");
    }

    #[tokio::test]
    async fn of_many_databases_that_nobody_has_heard_of_few_are_tried_at_a_time() {
        let unproven = unproven();
        let tried: Vec<CircuitBreaker> = (0..=TRIES)
            .map(|_| CircuitBreaker::new(unproven.clone()))
            .collect();
        let mut turns = Vec::new();
        for database in &tried {
            turns.push(database.turn().await);
        }
        let last = turns
            .pop()
            .expect("a turn")
            .expect_err("it is not its turn");
        assert!(matches!(last, NoSession::Queued(_)), "{last:?}");
        assert!(turns.iter().all(Result::is_ok));
        turns.clear();
        assert!(tried[TRIES].turn().await.is_ok(), "its turn comes");
    }

    #[tokio::test]
    async fn all_may_try_at_once_once_it_has_answered_until_something_is_not_answered() {
        let outage = new();
        outage.turn().await.expect("a turn").reached();
        let mut turns = Vec::new();
        for _ in 0..TRIES + 3 {
            turns.push(outage.turn().await.expect("a turn"));
        }
        outage.doubt();
        let mut tries = Vec::new();
        for _ in 0..TRIES {
            tries.push(outage.turn().await.expect("a turn"));
        }
        let refused = outage.turn().await.expect_err("it is not its turn");
        assert!(matches!(refused, NoSession::Queued(_)), "{refused:?}");
    }

    #[tokio::test]
    async fn in_an_outage_one_tries_and_the_others_are_told_what_was_found() {
        let outage = new();
        outage.turn().await.expect("a turn").not_reached(down());
        let one = outage.turn().await.expect("a turn");
        match outage.turn().await {
            Err(NoSession::Unreachable(told)) => assert_eq!(told, down()),
            other => panic!("{other:?}"),
        }
        one.reached();
        let turns = [outage.turn().await, outage.turn().await];
        assert!(turns.iter().all(Result::is_ok), "it is over");
    }

    #[tokio::test]
    async fn one_who_gives_up_without_an_answer_leaves_the_turn_to_the_next() {
        let outage = new();
        outage.turn().await.expect("a turn").not_reached(down());
        drop(outage.turn().await.expect("a turn"));
        assert!(outage.turn().await.is_ok());
    }

    #[tokio::test]
    async fn what_was_found_long_ago_holds_nobody_up() {
        let outage = new();
        let long_ago = Instant::now()
            .checked_sub(STALE)
            .expect("a machine that runs for longer");
        outage.state().found = Some((down(), long_ago));
        let turns = [outage.turn().await, outage.turn().await];
        assert!(turns.iter().all(Result::is_ok));
    }
}

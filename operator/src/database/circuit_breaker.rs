//! Whether a database can be reached. While it cannot, one who tries finds out for all: each try takes
//! seconds, and with many tenants of one database those of all others would wait behind them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::error::Problem;

/// What was found this long ago says nothing about now.
const STALE: Duration = Duration::from_secs(30);

/// What is known of one database, shared by all who want a session in it.
#[derive(Clone, Debug, Default)]
pub(super) struct CircuitBreaker(Arc<Mutex<State>>);

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
    alone: bool,
}

impl CircuitBreaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// The right to try; in an outage, one has it at a time.
    ///
    /// # Errors
    /// What was found last, while another tries.
    pub fn turn(&self) -> Result<Attempt<'_>, Problem> {
        let mut state = self.state();
        let found = state.found.as_ref();
        let fresh = found.filter(|(_, at)| at.elapsed() < STALE);
        if let Some((problem, _)) = fresh
            && state.tried
        {
            return Err(problem.clone());
        }
        let alone = fresh.is_some();
        state.tried |= alone;
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
        if self.alone {
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

    #[test]
    fn all_may_try_at_once_while_nothing_is_wrong() {
        let outage = CircuitBreaker::default();
        let turns = [outage.turn(), outage.turn()];
        assert!(turns.iter().all(Result::is_ok));
    }

    #[test]
    fn in_an_outage_one_tries_and_the_others_are_told_what_was_found() {
        let outage = CircuitBreaker::default();
        outage.turn().expect("a turn").not_reached(down());
        let one = outage.turn().expect("a turn");
        assert_eq!(outage.turn().expect_err("told"), down());
        one.reached();
        let turns = [outage.turn(), outage.turn()];
        assert!(turns.iter().all(Result::is_ok), "it is over");
    }

    #[test]
    fn one_who_gives_up_without_an_answer_leaves_the_turn_to_the_next() {
        let outage = CircuitBreaker::default();
        outage.turn().expect("a turn").not_reached(down());
        drop(outage.turn().expect("a turn"));
        assert!(outage.turn().is_ok());
    }

    #[test]
    fn what_was_found_long_ago_holds_nobody_up() {
        let outage = CircuitBreaker::default();
        let long_ago = Instant::now()
            .checked_sub(STALE)
            .expect("a machine that runs for longer");
        outage.state().found = Some((down(), long_ago));
        let turns = [outage.turn(), outage.turn()];
        assert!(turns.iter().all(Result::is_ok));
    }
}

//! How many of those who reconcile may wait for databases. Spec and Secret name these, so one may be anybody's, and
//! let everybody in and answer nobody: the others are for tenants whose databases answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// Of those who reconcile, one of so many may wait for answers that take long, and as many for databases that have not
/// answered yet, or not any more.
const SLOW: usize = 4;

/// One of so many may be in the same database.
const ALIKE: usize = 2;

/// Answers are a matter of milliseconds; who waits for longer needs a place among the slow. It is taken before: what was
/// asked for may be done after nobody waits for it any more.
const QUICK: Duration = Duration::from_secs(5);

/// Longest wait for the place of somebody in the same database, and of somebody in one that has not answered yet: one
/// that answers has a place free sooner.
pub(super) const ALIKE_QUEUE: Duration = Duration::from_secs(2);
pub(super) const UNPROVEN_QUEUE: Duration = Duration::from_millis(500);

/// A place, until it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// The places of all databases together.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    workers: usize,
    slow: Arc<Semaphore>,
    unproven: Arc<Semaphore>,
}

impl Shares {
    /// Those where so many reconcile at a time.
    pub fn of(workers: u16) -> Self {
        let workers = usize::from(workers);
        let places = || Arc::new(Semaphore::new((workers / SLOW).max(1)));
        Self {
            workers,
            slow: places(),
            unproven: places(),
        }
    }

    /// The places of one database.
    pub fn of_one(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new((self.workers / ALIKE).max(1)))
    }

    /// The places of those who wait for databases that have not answered yet, or not any more.
    pub fn unproven(&self) -> Arc<Semaphore> {
        self.unproven.clone()
    }

    /// How long work may take that asks for `longest`: as long, with a place, or else no longer than answers take.
    pub fn patience(&self, longest: Duration) -> (Duration, Option<Place>) {
        match self.slow.clone().try_acquire_owned() {
            Ok(place) => (longest, Some(place)),
            Err(_) => (QUICK.min(longest), None),
        }
    }
}

/// One of `places`, as soon as there is one.
///
/// # Errors
/// There is none before `longest` is over.
pub(super) async fn place(places: &Arc<Semaphore>, longest: Duration) -> Result<Place, Error> {
    match tokio::time::timeout(longest, places.clone().acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        _ => Err(Error::Queued(
            "others wait for databases that do not answer",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[test]
    fn of_many_at_work_some_may_take_long_and_the_others_have_seconds() {
        let shares = Shares::of(8);
        let longest = Duration::from_secs(60);
        let patience = || shares.patience(longest);
        let slow = [patience(), patience()];
        assert!(slow.iter().all(|(patience, _)| *patience == longest));
        assert_eq!(patience().0, QUICK);
        assert_eq!(shares.patience(SOON).0, SOON, "no longer than it asks for");
        drop(slow);
        assert_eq!(patience().0, longest);
    }

    #[tokio::test]
    async fn however_few_reconcile_one_of_them_has_a_place() {
        let shares = Shares::of(1);
        for places in [shares.of_one(), shares.unproven()] {
            let held = place(&places, SOON).await.expect("a place");
            let refused = place(&places, SOON).await.expect_err("it is taken");
            assert!(matches!(refused, Error::Queued(_)), "{refused}");
            drop(held);
            drop(place(&places, SOON).await.expect("a place"));
        }
    }
}

//! Until when this process may write: what its Lease gave it less a margin, by its own clock.
//!
//! A process that was stopped for longer than that finds its fence shut when it goes on, whatever it
//! was about to send; by then another one may hold the Lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A clock that never goes back.
pub type Clock = fn() -> Duration;

/// Shared by all that writes.
#[derive(Clone, Debug)]
pub struct Fence {
    /// Nanoseconds of `clock`; 0 while it is shut.
    until: Arc<AtomicU64>,
    clock: Clock,
}

/// The Lease was not renewed in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Lease ran out: another operator may write now")]
pub struct Passed;

impl From<Passed> for std::io::Error {
    fn from(passed: Passed) -> Self {
        Self::other(passed)
    }
}

impl Fence {
    /// A fence that is shut.
    #[must_use]
    pub fn shut() -> Self {
        Self::by(boottime)
    }

    /// A fence that is shut, by a clock of the caller's.
    #[must_use]
    pub fn by(clock: Clock) -> Self {
        Self {
            until: Arc::default(),
            clock,
        }
    }

    /// A fence that never shuts by itself, for those who need no Lease.
    #[must_use]
    pub fn open() -> Self {
        let fence = Self::shut();
        fence.until.store(u64::MAX, Ordering::SeqCst);
        fence
    }

    /// The time now, for [`Fence::hold`].
    #[must_use]
    pub fn now(&self) -> Duration {
        (self.clock)()
    }

    /// Opens the fence until `until`.
    pub fn hold(&self, until: Duration) {
        self.until.store(nanoseconds(until), Ordering::SeqCst);
    }

    /// Moves the end to `until`; once the fence is shut it stays so, and the answer is false.
    #[must_use]
    pub fn extend(&self, until: Duration) -> bool {
        self.until
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |end| {
                (nanoseconds(self.now()) < end).then(|| end.max(nanoseconds(until)))
            })
            .is_ok()
    }

    /// Shuts the fence now.
    pub fn shut_now(&self) {
        self.until.store(0, Ordering::SeqCst);
    }

    /// Whether a write may begin at this moment.
    ///
    /// # Errors
    /// [`Passed`].
    pub fn check(&self) -> Result<(), Passed> {
        if nanoseconds(self.now()) < self.until.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err(Passed)
        }
    }

    /// Resolves when the fence is shut.
    pub async fn passed(&self) {
        while self.check().is_ok() {
            let end = Duration::from_nanos(self.until.load(Ordering::SeqCst));
            tokio::time::sleep(end.saturating_sub(self.now())).await;
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// It counts while the process is stopped, and while the machine is suspended.
fn boottime() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local!(static NOW: Cell<u64> = const { Cell::new(1) });

    fn fence() -> Fence {
        NOW.set(1);
        Fence::by(|| Duration::from_secs(NOW.get()))
    }

    const fn second(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn nothing_may_be_written_before_the_lease_is_held() {
        assert_eq!(fence().check(), Err(Passed));
    }

    #[test]
    fn a_fence_that_was_not_extended_in_time_is_shut_for_good() {
        let fence = fence();
        fence.hold(second(8));
        NOW.set(7);
        assert_eq!(fence.check(), Ok(()));
        assert!(fence.extend(second(14)));
        NOW.set(14);
        assert_eq!(fence.check(), Err(Passed));
        assert!(!fence.extend(second(21)), "the answer came too late");
        assert_eq!(fence.check(), Err(Passed));
    }

    #[test]
    fn an_answer_that_overtook_another_never_takes_time_away() {
        let fence = fence();
        fence.hold(second(8));
        assert!(fence.extend(second(5)));
        NOW.set(7);
        assert_eq!(fence.check(), Ok(()));
    }

    #[test]
    fn a_fence_that_is_shut_by_hand_is_shut_for_all_who_share_it() {
        let fence = fence();
        fence.hold(second(8));
        let other = fence.clone();
        other.shut_now();
        assert_eq!(fence.check(), Err(Passed));
    }

    #[test]
    fn the_clock_of_the_machine_goes_on() {
        let before = boottime();
        std::thread::sleep(Duration::from_millis(2));
        assert!(boottime() > before);
    }
}

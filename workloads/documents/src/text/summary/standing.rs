//! Whether the last calls of a service went well: what health says of one that probes must not ask.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A failure that is older says nothing about now.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

/// The last failure, until a call goes well.
#[derive(Debug, Default)]
pub(crate) struct Standing(Mutex<Option<Instant>>);

impl Standing {
    pub(super) fn went(&self, well: bool) {
        *self.lock() = (!well).then(Instant::now);
    }

    pub(crate) fn is_good(&self) -> bool {
        self.is_good_at(Instant::now())
    }

    fn is_good_at(&self, now: Instant) -> bool {
        self.lock()
            .is_none_or(|failed| now.saturating_duration_since(failed) > REMEMBERED)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_until_a_call_goes_well_or_it_is_long_ago() {
        let standing = Standing::default();
        assert!(standing.is_good());
        standing.went(false);
        assert!(!standing.is_good());
        assert!(standing.is_good_at(Instant::now() + REMEMBERED + Duration::from_secs(1)));
        standing.went(true);
        assert!(standing.is_good());
    }
}

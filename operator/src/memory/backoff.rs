//! How long to wait before a failed object is tried again.

use std::time::Duration;

use rand::RngExt;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff(u32);

impl Backoff {
    /// Counts a failure and says how long to wait: doubling from half a second to a minute, with
    /// jitter, so that objects that failed together do not come back together.
    pub(super) fn failed(&mut self) -> Duration {
        let wait = delay(self.0);
        self.0 = self.0.saturating_add(1);
        wait.mul_f64(rand::rng().random_range(0.5..1.0))
    }
}

fn delay(failures: u32) -> Duration {
    FIRST
        .saturating_mul(2u32.saturating_pow(failures))
        .min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_a_minute() {
        assert_eq!(
            [0, 1, 2, 20, u32::MAX].map(delay).map(|d| d.as_millis()),
            [500, 1000, 2000, 60000, 60000]
        );
    }

    #[test]
    fn each_failure_in_a_row_waits_longer_than_the_first() {
        let mut backoff = Backoff::default();
        assert!(backoff.failed() <= FIRST);
        for _ in 0..10 {
            backoff.failed();
        }
        assert!(backoff.failed() > FIRST);
    }
}

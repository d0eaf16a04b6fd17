//! How long to wait before a failed tenant is tried again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use rand::RngExt;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Failures in a row, by the tenant's uid.
#[derive(Debug, Default)]
pub struct Backoff(Mutex<HashMap<String, u32>>);

impl Backoff {
    /// Counts a failure and says how long to wait: doubling from half a second to a minute, with
    /// jitter, so that tenants that failed together do not come back together.
    pub fn failed(&self, uid: &str) -> Duration {
        let mut failures = self.0.lock().expect("no holder of this lock panics");
        let count = failures.entry(uid.to_owned()).or_default();
        let wait = delay(*count);
        *count = count.saturating_add(1);
        wait.mul_f64(rand::rng().random_range(0.5..1.0))
    }

    /// Forgets the failures of a tenant that succeeded or is gone.
    pub fn forget(&self, uid: &str) {
        self.0
            .lock()
            .expect("no holder of this lock panics")
            .remove(uid);
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
    fn success_starts_the_count_anew() {
        let backoff = Backoff::default();
        for _ in 0..10 {
            backoff.failed("a");
        }
        backoff.forget("a");
        assert!(backoff.failed("a") <= FIRST);
    }
}

//! Reports that wait for the next: while pods come about one after the other, each could only say how far
//! they are, and a write of a status is dear.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use docket_crds::ReconcileStatus;

/// What was not said yet, by the tenant's uid. Who ends without having said it loses no more than a
/// crash before the write does.
#[derive(Debug, Default)]
pub struct HeldReports {
    longest: Duration,
    held: Mutex<HashMap<String, Held>>,
}

#[derive(Debug)]
struct Held {
    since: Instant,
    reconcile: Option<ReconcileStatus>,
}

impl HeldReports {
    /// No report waits for more than `longest`; by default none waits.
    #[must_use]
    pub fn of(longest: Duration) -> Self {
        Self {
            longest,
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().expect("no holder of this lock panics")
    }

    /// Holds the report of the tenant `uid`, which would tell of `reconcile`, and says for how long still;
    /// `None` when it is to be told now.
    pub fn hold(&self, uid: &str, reconcile: Option<&ReconcileStatus>) -> Option<Duration> {
        if self.longest.is_zero() {
            return None;
        }
        let mut all = self.held();
        let held = all.entry(uid.to_owned()).or_insert_with(|| Held {
            since: Instant::now(),
            reconcile: None,
        });
        let wait = self.longest.checked_sub(held.since.elapsed());
        let wait = wait.filter(|wait| !wait.is_zero())?;
        held.reconcile = reconcile.cloned().or(held.reconcile.take());
        Some(wait)
    }

    /// The report of the tenant `uid` is told now, or never: what it has to say of a reconcile before.
    pub fn release(&self, uid: &str) -> Option<ReconcileStatus> {
        self.held().remove(uid)?.reconcile
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Timeline;

    fn of_generation(generation: i64) -> ReconcileStatus {
        Timeline::start(generation).status()
    }

    #[test]
    fn a_report_is_held_once_and_for_no_longer_than_it_may_be() {
        let held = HeldReports::of(Duration::from_secs(60));
        let first = held.hold("a", None).expect("it is held");
        std::thread::sleep(Duration::from_millis(2));
        let second = held.hold("a", None).expect("it is held");
        assert!(second < first, "{second:?}");
        let brief = HeldReports::of(Duration::from_nanos(1));
        brief.hold("a", None);
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(brief.hold("a", None), None);
    }

    #[test]
    fn what_changed_is_told_later_even_if_the_next_reconcile_changes_nothing() {
        let held = HeldReports::of(Duration::from_secs(60));
        held.hold("a", Some(&of_generation(1)));
        held.hold("a", None);
        let told = held.release("a").map(|reconcile| reconcile.generation);
        assert_eq!(told, Some(1));
        assert!(held.release("a").is_none(), "it is told once");
    }

    #[test]
    fn by_default_nothing_is_held() {
        assert_eq!(HeldReports::default().hold("a", None), None);
    }
}

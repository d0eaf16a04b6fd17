//! Reports that wait for the next: while pods come about one after the other, each could only say how far
//! they are, and a write of a status is dear.

use std::time::{Duration, Instant};

use docket_crds::ReconcileStatus;

/// What was not said yet. Who ends without having said it loses no more than a crash before the write does.
#[derive(Debug, Default)]
pub(super) struct StatusDebounce(Option<Held>);

#[derive(Debug)]
struct Held {
    since: Instant,
    reconcile: Option<ReconcileStatus>,
}

impl StatusDebounce {
    /// Holds a report, which would tell of `reconcile`, and says for how long still; `None` when it is to
    /// be told now, since none is held for more than `longest`.
    pub(super) fn hold(
        &mut self,
        longest: Duration,
        reconcile: Option<&ReconcileStatus>,
    ) -> Option<Duration> {
        if longest.is_zero() {
            return None;
        }
        let held = self.0.get_or_insert_with(|| Held {
            since: Instant::now(),
            reconcile: None,
        });
        let wait = longest.checked_sub(held.since.elapsed());
        let wait = wait.filter(|wait| !wait.is_zero())?;
        held.reconcile = reconcile.cloned().or(held.reconcile.take());
        Some(wait)
    }

    /// The report is told now, or never: what it has to say of a reconcile before.
    pub(super) fn release(&mut self) -> Option<ReconcileStatus> {
        self.0.take()?.reconcile
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::timeline::Timeline;

    const LONG: Duration = Duration::from_secs(60);

    fn of_generation(generation: i64) -> ReconcileStatus {
        Timeline::start(generation).status()
    }

    #[test]
    fn a_report_is_held_once_and_for_no_longer_than_it_may_be() {
        let mut debounce = StatusDebounce::default();
        let first = debounce.hold(LONG, None).expect("it is held");
        std::thread::sleep(Duration::from_millis(2));
        let second = debounce.hold(LONG, None).expect("it is held");
        assert!(second < first, "{second:?}");
        assert_eq!(debounce.hold(Duration::from_millis(1), None), None);
    }

    #[test]
    fn what_changed_is_told_later_even_if_the_next_reconcile_changes_nothing() {
        let mut debounce = StatusDebounce::default();
        debounce.hold(LONG, Some(&of_generation(1)));
        debounce.hold(LONG, None);
        let told = debounce.release().map(|reconcile| reconcile.generation);
        assert_eq!(told, Some(1));
        assert!(debounce.release().is_none(), "it is told once");
    }

    #[test]
    fn without_an_interval_nothing_is_held() {
        assert_eq!(StatusDebounce::default().hold(Duration::ZERO, None), None);
    }
}

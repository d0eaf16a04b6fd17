//! How soon after a reconcile the next one of the same tenant begins: what comes of one change comes in
//! many events, and is looked at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// When reconciles ended, by the tenant's uid. However often something happens, a tenant waits no
/// longer than the pause.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    pause: Duration,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    ended: HashMap<String, Instant>,
    /// When those were last dropped that nobody waits for.
    swept: Option<Instant>,
}

impl Pace {
    /// `pause` between the reconciles of one tenant; none by default.
    #[must_use]
    pub fn of(pause: Duration) -> Self {
        Self {
            pause,
            known: Arc::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no holder of this lock panics")
    }

    /// How long the tenant `uid` has still to wait, if it has to.
    #[must_use]
    pub fn wait(&self, uid: &str) -> Option<Duration> {
        let since = self.known().ended.get(uid)?.elapsed();
        self.pause.checked_sub(since).filter(|wait| !wait.is_zero())
    }

    /// A reconcile of the tenant `uid` ended.
    pub fn ended_now(&self, uid: String) {
        let now = Instant::now();
        let mut known = self.known();
        if known.swept.is_none_or(|swept| now - swept > self.pause) {
            known.ended.retain(|_, ended| now - *ended < self.pause);
            known.swept = Some(now);
        }
        known.ended.insert(uid, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_waits_after_its_own_reconcile_and_after_no_other() {
        let pace = Pace::of(Duration::from_secs(60));
        assert_eq!(pace.wait("a"), None);
        pace.ended_now("a".into());
        assert!(
            pace.wait("a")
                .is_some_and(|wait| wait > Duration::from_secs(50))
        );
        assert_eq!(pace.wait("b"), None);
    }

    #[test]
    fn without_a_pause_nobody_waits() {
        let pace = Pace::default();
        pace.ended_now("a".into());
        assert_eq!(pace.wait("a"), None);
    }

    #[test]
    fn who_waits_no_more_is_forgotten() {
        let pace = Pace::default();
        pace.ended_now("a".into());
        std::thread::sleep(Duration::from_millis(1));
        pace.ended_now("b".into());
        assert!(!pace.known().ended.contains_key("a"));
    }
}

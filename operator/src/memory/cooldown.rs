//! How soon after a reconcile the next one of the same object begins: what comes of one change comes in
//! many events, and is looked at once.

use std::time::{Duration, Instant};

/// When the last reconcile ended. However often something happens, an object waits no longer than the pause.
#[derive(Debug, Default)]
pub(super) struct Cooldown(Option<Instant>);

impl Cooldown {
    /// How long the object has still to wait for `pause` to be over, if it has to.
    pub(super) fn wait(&self, pause: Duration) -> Option<Duration> {
        pause
            .checked_sub(self.0?.elapsed())
            .filter(|wait| !wait.is_zero())
    }

    /// A reconcile ended.
    pub(super) fn ended_now(&mut self) {
        self.0 = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_waits_after_its_reconcile_until_the_pause_is_over() {
        let pause = Duration::from_secs(60);
        let mut cooldown = Cooldown::default();
        assert_eq!(cooldown.wait(pause), None);
        cooldown.ended_now();
        let wait = cooldown.wait(pause).expect("it waits");
        assert!(wait > Duration::from_secs(30), "{wait:?}");
        assert_eq!(cooldown.wait(Duration::ZERO), None, "without a pause");
    }
}

//! When what goes on beside the reconciles is done again.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::cache::caches::Filled;

/// Once in `period`, from when all is known of the cluster; none where the operator ends before.
pub(crate) async fn ticker(period: Duration, mut filled: Filled) -> Option<Interval> {
    // Not for the store of tenants itself: of several who wait for that, only the last is woken.
    filled.wait_for(|filled| *filled).await.ok()?;
    let mut rounds = interval(period);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(rounds)
}

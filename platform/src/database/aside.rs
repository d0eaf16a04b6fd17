//! Work that gives way to all other tasks so often that it would never end beside them.

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::error::Error;

/// Does `work` on a thread of its own, with the I/O and timers of this runtime.
///
/// To log in, sqlx hashes the password in some 800 steps (SCRAM, 4,096 iterations of RFC 7677) and
/// lets every task that is ready go first at each: on a busy runtime a login took seconds.
///
/// # Errors
/// Those of `work`, which goes on to its end if nobody waits for it any more.
pub(super) async fn aside<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let runtime = Handle::current();
    match spawn_blocking(move || runtime.block_on(work)).await {
        Ok(done) => done,
        Err(end) => match end.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends.
            Err(_) => Err(Error::from(sqlx::Error::PoolClosed)),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A task that is always ready, and takes its time at each turn.
    async fn busy() {
        loop {
            std::thread::sleep(Duration::from_millis(5));
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_gives_way_a_thousand_times_ends_soon_beside_tasks_that_are_always_ready() {
        let busy = tokio::spawn(busy());
        let patient = aside(async {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            Ok(())
        });
        let done = tokio::time::timeout(Duration::from_secs(2), patient).await;
        assert!(matches!(done, Ok(Ok(()))), "{done:?}");
        busy.abort();
    }
}

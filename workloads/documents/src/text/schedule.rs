//! When each client is asked for documents to read: at once after an upload in this process, when a
//! retry is due, and now and then, for what others left.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// By client.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    due: Mutex<BTreeMap<String, Instant>>,
    changed: Notify,
}

impl Schedule {
    /// Asks `client` at once.
    pub(crate) fn wake(&self, client: &str) {
        self.at(client, Instant::now());
    }

    /// Asks `client` at `time`, or earlier if it is to be asked earlier anyway.
    pub(super) fn at(&self, client: &str, time: Instant) {
        let mut due = self.lock();
        let entry = due.entry(client.to_owned()).or_insert(time);
        *entry = time.min(*entry);
        self.changed.notify_one();
    }

    /// The client that is due first, once it is; it is asked again only when that is said again.
    pub(super) async fn next(&self) -> String {
        loop {
            let wait = match self.first(Instant::now()) {
                Ok(client) => return client,
                Err(wait) => wait,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// The client that is due first at `now`, or how long to wait for one.
    fn first(&self, now: Instant) -> Result<String, Duration> {
        const LONG: Duration = Duration::from_secs(3600);
        let mut due = self.lock();
        let first = due.iter().min_by_key(|(_, time)| **time);
        let Some((client, time)) = first.map(|(client, time)| (client.clone(), *time)) else {
            return Err(LONG);
        };
        if time > now {
            return Err(time - now);
        }
        due.remove(&client);
        Ok(client)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Instant>> {
        self.due
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_that_is_due_first_comes_first_and_once() {
        let schedule = Schedule::default();
        let now = Instant::now();
        let later = now + Duration::from_secs(60);
        schedule.at("b", now + Duration::from_secs(2));
        schedule.at("a", later);
        schedule.at("b", later);
        assert_eq!(schedule.first(now), Err(Duration::from_secs(2)));
        assert_eq!(schedule.first(later), Ok("b".to_owned()));
        assert_eq!(schedule.first(later), Ok("a".to_owned()));
        assert!(schedule.first(later).is_err());
    }

    #[tokio::test]
    async fn a_client_that_is_woken_is_next_at_once() {
        let schedule = Schedule::default();
        schedule.at("a", Instant::now() + Duration::from_secs(3600));
        let (next, ()) = tokio::join!(schedule.next(), async {
            tokio::task::yield_now().await;
            schedule.wake("b");
        });
        assert_eq!(next, "b");
    }
}

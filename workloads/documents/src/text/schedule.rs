//! When each client is asked for documents to read: at once after an upload in this process, when a
//! retry is due, and now and then, for what others left; and by how many workers at once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use docket_platform::share;
use tokio::sync::Notify;

/// By client.
#[derive(Debug)]
pub(crate) struct Schedule {
    clients: Mutex<Clients>,
    /// Workers that one client may have at once.
    share: usize,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Clients {
    due: BTreeMap<String, Instant>,
    /// Those that have workers, and how many.
    served: BTreeMap<String, usize>,
}

/// The work for one client; another worker may take its place on drop.
#[derive(Debug)]
pub(super) struct Visit<'s> {
    schedule: &'s Schedule,
    pub(super) client: String,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut clients = self.schedule.lock();
        if let Some(workers) = clients.served.get_mut(&self.client) {
            *workers -= 1;
        }
        clients.served.retain(|_, workers| *workers > 0);
        self.schedule.changed.notify_one();
    }
}

impl Schedule {
    /// For `workers`, of which each of several `clients` may have half.
    pub(super) fn new(workers: usize, clients: usize) -> Self {
        Self {
            clients: Mutex::default(),
            share: share(workers, clients),
            changed: Notify::new(),
        }
    }

    /// Asks `client` at once.
    pub(crate) fn wake(&self, client: &str) {
        self.at(client, Instant::now());
    }

    /// Asks `client` at `time`, or earlier if it is to be asked earlier anyway.
    pub(super) fn at(&self, client: &str, time: Instant) {
        let mut clients = self.lock();
        let entry = clients.due.entry(client.to_owned()).or_insert(time);
        *entry = time.min(*entry);
        self.changed.notify_one();
    }

    /// The client that is due first of those that may have one more worker, once it is; it is asked again only
    /// when that is said again.
    pub(super) async fn next(&self) -> Visit<'_> {
        loop {
            let wait = match self.first(Instant::now()) {
                Ok(client) => {
                    return Visit {
                        schedule: self,
                        client,
                    };
                }
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
        let mut clients = self.lock();
        let Clients { due, served } = &mut *clients;
        let may_have_one = |client: &String| {
            served
                .get(client)
                .is_none_or(|workers| *workers < self.share)
        };
        let free = due.iter().filter(|(client, _)| may_have_one(client));
        let first = free.min_by_key(|(_, time)| **time);
        let Some((client, time)) = first.map(|(client, time)| (client.clone(), *time)) else {
            return Err(LONG);
        };
        if time > now {
            return Err(time - now);
        }
        due.remove(&client);
        *served.entry(client.clone()).or_default() += 1;
        Ok(client)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Clients> {
        self.clients
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_that_is_due_first_comes_first_and_once() {
        let schedule = Schedule::new(2, 1);
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
        let schedule = Schedule::new(2, 2);
        schedule.at("a", Instant::now() + Duration::from_secs(3600));
        let (next, ()) = tokio::join!(schedule.next(), async {
            tokio::task::yield_now().await;
            schedule.wake("b");
        });
        assert_eq!(next.client, "b");
    }

    #[tokio::test]
    async fn a_client_whose_documents_take_long_leaves_a_worker_to_others() {
        let schedule = Schedule::new(2, 2);
        schedule.wake("slow");
        let long = schedule.next().await;
        schedule.wake("slow");
        schedule.wake("other");
        let other = schedule.next().await;
        assert_eq!(other.client, "other", "which came later");
        assert!(schedule.first(Instant::now()).is_err());
        drop(long);
        assert_eq!(schedule.next().await.client, "slow");
    }
}

//! One statement for all requests that wait for the same kind of row at the same time.
//!
//! A request that comes while nothing is under way is asked for at once and alone. While it is, others
//! gather; what gathered is asked for next. So a quiet server answers as soon as it can, and a busy one
//! asks the less often the more there is to ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::context::FutureExt as _;
use tokio::sync::oneshot;

use crate::tenant::{Client, Tenant};

/// A statement about many keys at once.
pub trait Batch<K, T>: Send + 'static {
    /// Statements under way at once.
    const CONCURRENT: usize;
    /// Keys of one statement.
    const MAX_SIZE: usize;

    /// What there is for `keys`, in their order; `None` when it failed.
    fn run(&self, keys: Vec<K>) -> impl Future<Output = Option<Vec<T>>> + Send;
}

/// A batcher for each client: each statement is about one schema.
#[derive(Debug)]
pub struct ClientBatchers<K, T>(HashMap<String, Arc<Batcher<K, T>>>);

impl<K, T> ClientBatchers<K, T> {
    /// Nobody waits yet.
    pub fn new(tenant: &Tenant) -> Self {
        let schemas = tenant.clients().map(|client| client.schema.clone());
        Self(schemas.map(|schema| (schema, Arc::default())).collect())
    }

    /// The one for rows of `client`.
    pub fn of(&self, client: &Client) -> Option<&Arc<Batcher<K, T>>> {
        self.0.get(&client.schema)
    }
}

/// Those who wait, and how many statements are under way.
#[derive(Debug)]
pub struct Batcher<K, T> {
    state: Mutex<State<K, T>>,
}

#[derive(Debug)]
struct State<K, T> {
    waiting: Vec<(K, oneshot::Sender<T>)>,
    running: usize,
}

impl<K, T> Default for Batcher<K, T> {
    fn default() -> Self {
        let state = State {
            waiting: Vec::new(),
            running: 0,
        };
        Self {
            state: Mutex::new(state),
        }
    }
}

impl<K: Send + 'static, T: Send + 'static> Batcher<K, T> {
    /// What `work` brings for `key`, which it is asked for after this call; `None` when it failed, for
    /// this key or for any other that was asked for with it.
    pub async fn submit<W: Batch<K, T>>(self: &Arc<Self>, key: K, work: W) -> Option<T> {
        let (tell, told) = oneshot::channel();
        if let Some(runner) = self.join(key, tell, W::CONCURRENT) {
            // A task, so that a caller who leaves takes nobody's answer along.
            tokio::spawn(runner.run(work).with_current_context());
        }
        told.await.ok()
    }

    fn join(
        self: &Arc<Self>,
        key: K,
        tell: oneshot::Sender<T>,
        concurrent: usize,
    ) -> Option<Runner<K, T>> {
        let mut state = self.state();
        state.waiting.push((key, tell));
        (state.running < concurrent).then(|| {
            state.running += 1;
            Runner {
                of: self.clone(),
                is_over: false,
            }
        })
    }
}

impl<K, T> Batcher<K, T> {
    fn state(&self) -> MutexGuard<'_, State<K, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have a statement under way.
struct Runner<K, T> {
    of: Arc<Batcher<K, T>>,
    is_over: bool,
}

impl<K: Send + 'static, T: Send + 'static> Runner<K, T> {
    async fn run<W: Batch<K, T>>(mut self, work: W) {
        while let Some((keys, told)) = self.next(W::MAX_SIZE) {
            // Who is told nothing sees that it failed.
            let brought = work.run(keys).await.unwrap_or_default();
            for (tell, one) in told.into_iter().zip(brought) {
                // Who left meanwhile is told in vain.
                let _ = tell.send(one);
            }
        }
    }

    /// Those who wait and are still there; the turn is over when nobody is.
    fn next(&mut self, most: usize) -> Option<(Vec<K>, Vec<oneshot::Sender<T>>)> {
        let mut state = self.of.state();
        state.waiting.retain(|(_, tell)| !tell.is_closed());
        let most = state.waiting.len().min(most);
        let next: (Vec<K>, Vec<_>) = state.waiting.drain(..most).unzip();
        // Under the same lock, or whoever joins in between would be forgotten.
        if next.0.is_empty() {
            state.running -= 1;
            self.is_over = true;
        }
        (!self.is_over).then_some(next)
    }
}

impl<K, T> Drop for Runner<K, T> {
    /// After a panic: nobody may come any more for those who wait.
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.of.state();
            state.running -= 1;
            state.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::Semaphore;
    use tokio::time::timeout;

    use super::*;

    /// Doubles each number, once it may; zero is a panic, and one cannot be done.
    #[derive(Clone)]
    struct Double {
        may: Arc<Semaphore>,
        asked: Arc<Mutex<Vec<Vec<u32>>>>,
    }

    impl Double {
        fn new() -> Self {
            Self {
                may: Arc::new(Semaphore::new(0)),
                asked: Arc::default(),
            }
        }

        fn asked(&self) -> Vec<Vec<u32>> {
            self.asked.lock().expect("not poisoned").clone()
        }
    }

    impl Batch<u32, u32> for Double {
        const CONCURRENT: usize = 2;
        const MAX_SIZE: usize = 3;

        async fn run(&self, keys: Vec<u32>) -> Option<Vec<u32>> {
            self.asked.lock().expect("not poisoned").push(keys.clone());
            self.may.acquire().await.expect("open").forget();
            assert!(!keys.contains(&0), "a zero");
            (!keys.contains(&1)).then(|| keys.iter().map(|key| key * 2).collect())
        }
    }

    type Numbers = Arc<Batcher<u32, u32>>;

    /// Asks for each of `keys` one after the other, and waits until all of them are under way or wait.
    async fn ask(
        numbers: &Numbers,
        work: &Double,
        keys: &[u32],
    ) -> Vec<tokio::task::JoinHandle<Option<u32>>> {
        let mut asking = Vec::new();
        for key in keys {
            let (numbers, work, key) = (numbers.clone(), work.clone(), *key);
            asking.push(tokio::spawn(async move { numbers.submit(key, work).await }));
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        asking
    }

    async fn answers(asking: Vec<tokio::task::JoinHandle<Option<u32>>>) -> Vec<Option<u32>> {
        let all = futures::future::join_all(asking);
        let all = timeout(Duration::from_secs(5), all).await;
        let all = all.expect("everybody is answered").into_iter();
        all.map(|one| one.expect("not cancelled")).collect()
    }

    #[tokio::test]
    async fn who_comes_while_others_are_answered_is_asked_for_together_with_the_next() {
        let (numbers, work) = (Numbers::default(), Double::new());
        let asking = ask(&numbers, &work, &[10, 20, 30, 40, 50, 60]).await;
        assert_eq!(work.asked(), [vec![10], vec![20]]);
        work.may.add_permits(10);
        let doubled = [20, 40, 60, 80, 100, 120].map(Some);
        assert_eq!(answers(asking).await, doubled);
        assert_eq!(
            work.asked(),
            [vec![10], vec![20], vec![30, 40, 50], vec![60]]
        );
        // And it begins anew after a rest.
        assert_eq!(answers(ask(&numbers, &work, &[7]).await).await, [Some(14)]);
    }

    #[tokio::test]
    async fn what_cannot_be_done_fails_for_those_who_were_asked_for_with_it_only() {
        let (numbers, work) = (Numbers::default(), Double::new());
        let asking = ask(&numbers, &work, &[10, 20, 1, 40]).await;
        work.may.add_permits(10);
        assert_eq!(answers(asking).await, [Some(20), Some(40), None, None]);
        assert_eq!(answers(ask(&numbers, &work, &[7]).await).await, [Some(14)]);
    }

    #[tokio::test]
    async fn a_panic_leaves_nobody_waiting_and_takes_no_turn_along() {
        let (numbers, work) = (Numbers::default(), Double::new());
        let asking = ask(&numbers, &work, &[0, 0, 30]).await;
        work.may.add_permits(10);
        assert_eq!(answers(asking).await, [None, None, None]);
        let again = ask(&numbers, &work, &[7, 8, 9]).await;
        assert_eq!(answers(again).await, [14, 16, 18].map(Some));
    }

    #[tokio::test]
    async fn who_leaves_is_not_asked_for_and_takes_nobodys_answer_along() {
        let (numbers, work) = (Numbers::default(), Double::new());
        let asking = ask(&numbers, &work, &[10, 20, 30, 40]).await;
        for leaves in [&asking[0], &asking[2]] {
            leaves.abort();
        }
        tokio::task::yield_now().await;
        work.may.add_permits(10);
        let [_, second, _, fourth] = asking.try_into().expect("four");
        assert_eq!(answers(vec![second, fourth]).await, [Some(40), Some(80)]);
        assert_eq!(work.asked()[2], [40]);
    }
}

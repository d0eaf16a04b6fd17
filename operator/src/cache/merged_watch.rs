//! Watches of several namespaces as if they were one: to who keeps what a watch brings, a first list is that of
//! all of them.

use std::collections::VecDeque;

use futures::stream::{BoxStream, SelectAll};
use futures::{Stream, StreamExt, stream};
use kube::runtime::watcher::{self, Event};

type Events<K> = BoxStream<'static, (usize, watcher::Result<Event<K>>)>;

/// What the watches of `make` bring, one for each namespace. When one of them lists anew, all of them do: a
/// list of one namespace would seem to say that the others have become empty.
pub fn merged<K, S>(
    make: impl Fn() -> Vec<S> + Send + 'static,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Send + 'static,
    S: Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
{
    let merged = Merged {
        round: Round::new(make()),
        ready: VecDeque::from([Ok(Event::Init)]),
        make,
    };
    stream::unfold(merged, |mut merged| async move {
        let next = merged.next().await?;
        Some((next, merged))
    })
}

struct Merged<K, F> {
    make: F,
    round: Round<K>,
    /// What is to be told before anybody is asked.
    ready: VecDeque<watcher::Result<Event<K>>>,
}

/// From the beginning of the lists until one of the watches lists anew.
struct Round<K> {
    watches: SelectAll<Events<K>>,
    begun: Vec<bool>,
    unlisted: usize,
    /// What became of objects of namespaces that are listed while others are not.
    held: Vec<Event<K>>,
}

impl<K: Send + 'static> Round<K> {
    fn new<S>(watches: Vec<S>) -> Self
    where
        S: Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
    {
        let count = watches.len();
        let numbered = watches.into_iter().enumerate();
        let numbered = numbered.map(|(at, watch)| watch.map(move |event| (at, event)).boxed());
        Self {
            watches: numbered.collect(),
            begun: vec![false; count],
            unlisted: count,
            held: Vec::new(),
        }
    }
}

impl<K, S, F> Merged<K, F>
where
    K: Send + 'static,
    S: Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
    F: Fn() -> Vec<S>,
{
    async fn next(&mut self) -> Option<watcher::Result<Event<K>>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let (at, event) = self.round.watches.next().await?;
            match event {
                Ok(Event::Init) if std::mem::replace(&mut self.round.begun[at], true) => {
                    self.round = Round::new((self.make)());
                    self.ready.push_back(Ok(Event::Init));
                }
                Ok(Event::Init) => {}
                Ok(Event::InitDone) => {
                    self.round.unlisted = self.round.unlisted.saturating_sub(1);
                    if self.round.unlisted == 0 {
                        self.ready.push_back(Ok(Event::InitDone));
                        self.ready.extend(self.round.held.drain(..).map(Ok));
                    }
                }
                Ok(event @ (Event::Apply(_) | Event::Delete(_))) if self.round.unlisted > 0 => {
                    self.round.held.push(event);
                }
                event => self.ready.push_back(event),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::channel::mpsc::{UnboundedSender, unbounded};

    use super::*;

    type Watch = BoxStream<'static, watcher::Result<Event<&'static str>>>;
    type Sender = UnboundedSender<watcher::Result<Event<&'static str>>>;

    /// The senders of the watches that were made last.
    type Made = Arc<Mutex<Vec<Sender>>>;

    fn watches(count: usize) -> (Made, impl Fn() -> Vec<Watch>) {
        let made = Made::default();
        let kept = made.clone();
        let make = move || {
            let (senders, streams) = (0..count)
                .map(|_| {
                    let (sender, stream) = unbounded();
                    (sender, stream.boxed())
                })
                .unzip::<_, _, Vec<_>, Vec<_>>();
            *kept.lock().expect("no panic") = senders;
            streams
        };
        (made, make)
    }

    fn send(made: &Made, to: usize, events: impl IntoIterator<Item = Event<&'static str>>) {
        let senders = made.lock().expect("no panic");
        for event in events {
            senders[to]
                .unbounded_send(Ok(event))
                .expect("it is watched");
        }
    }

    /// What comes next, in words, as long as there is something.
    async fn told<S>(events: &mut S) -> Vec<String>
    where
        S: Stream<Item = watcher::Result<Event<&'static str>>> + Unpin,
    {
        let mut told = Vec::new();
        while let std::task::Poll::Ready(Some(event)) = futures::poll!(events.next()) {
            told.push(match event.expect("no failure") {
                Event::Init => "begins".to_owned(),
                Event::InitApply(name) => format!("has {name}"),
                Event::InitDone => "is listed".to_owned(),
                Event::Apply(name) => format!("changed {name}"),
                Event::Delete(name) => format!("lost {name}"),
            });
        }
        told
    }

    #[tokio::test]
    async fn a_list_is_whole_when_every_namespace_is_listed_and_what_changes_meanwhile_comes_after()
    {
        let (made, make) = watches(2);
        let mut events = Box::pin(merged(make));
        send(
            &made,
            0,
            [
                Event::Init,
                Event::InitApply("a"),
                Event::InitDone,
                Event::Delete("a"),
            ],
        );
        assert_eq!(told(&mut events).await, ["begins", "has a"]);
        send(
            &made,
            1,
            [
                Event::Init,
                Event::InitApply("b"),
                Event::InitDone,
                Event::Apply("c"),
            ],
        );
        assert_eq!(
            told(&mut events).await,
            ["has b", "is listed", "lost a", "changed c"]
        );
    }

    #[tokio::test]
    async fn when_one_namespace_is_listed_anew_all_are() {
        let (made, make) = watches(2);
        let mut events = Box::pin(merged(make));
        for (at, name) in [(0, "a"), (1, "b")] {
            send(
                &made,
                at,
                [Event::Init, Event::InitApply(name), Event::InitDone],
            );
        }
        told(&mut events).await;
        send(&made, 1, [Event::Init]);
        assert_eq!(told(&mut events).await, ["begins"]);
        send(&made, 1, [Event::Init, Event::InitDone]);
        assert_eq!(told(&mut events).await, [""; 0]);
        send(
            &made,
            0,
            [Event::Init, Event::InitApply("a"), Event::InitDone],
        );
        assert_eq!(told(&mut events).await, ["has a", "is listed"]);
    }
}

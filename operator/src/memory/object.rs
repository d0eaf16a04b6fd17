//! What is kept of each object of a kind, whichever kind that is.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::watcher::Event;
use tokio::sync::watch;

use super::Memory;
use super::backoff::Backoff;
use super::cooldown::Cooldown;
use super::read_your_writes::ReadYourWrites;
use crate::identified::Identified;
use crate::reconciled_kind::ReconciledKind;

/// All that is kept of one object.
#[derive(Debug)]
struct ObjectMemory<K: ReconciledKind> {
    writes: ReadYourWrites<K>,
    backoff: Backoff,
    cooldown: Cooldown,
    own: K::Memory,
}

impl<K: ReconciledKind> Default for ObjectMemory<K> {
    fn default() -> Self {
        Self {
            writes: ReadYourWrites::default(),
            backoff: Backoff::default(),
            cooldown: Cooldown::default(),
            own: K::Memory::default(),
        }
    }
}

/// What is kept of all objects of a kind; see [`Memory`].
#[derive(Debug)]
pub struct Memories<K: ReconciledKind> {
    objects: Memory<ObjectMemory<K>>,
    /// Whether the watch has brought all there are.
    listed: watch::Sender<bool>,
    /// Between two reconciles of one object.
    cooldown: Duration,
}

impl<K: ReconciledKind> Default for Memories<K> {
    fn default() -> Self {
        Self::new(Duration::ZERO)
    }
}

impl<K: ReconciledKind> Memories<K> {
    /// Nothing yet; two reconciles of one object are `cooldown` apart.
    #[must_use]
    pub fn new(cooldown: Duration) -> Self {
        Self {
            objects: Memory::default(),
            listed: watch::Sender::new(false),
            cooldown,
        }
    }

    /// Takes in what the watch brings, before those who act on it do.
    pub fn take(&self, event: &Event<K>) {
        self.objects.take(event);
        if let Event::Apply(object) | Event::InitApply(object) = event
            && let Some(uid) = &object.meta().uid
        {
            self.objects.with(uid, |it| it.writes.caught_up(object));
        }
        if matches!(event, Event::InitDone) {
            self.listed.send_replace(true);
        }
    }

    /// Whether the watch has brought all there are; unlike a store of kube, it wakes everybody who waits for that.
    pub(crate) fn listed(&self) -> watch::Receiver<bool> {
        self.listed.subscribe()
    }

    /// Whether there is an object `uid`.
    pub(crate) fn knows(&self, uid: &str) -> bool {
        self.objects.knows(uid)
    }

    /// Notes what a write of `object` returned.
    pub(crate) fn wrote(&self, object: &Identified<K>, mut written: K) -> Identified<K> {
        // Larger than all the rest, and nobody asks for them.
        written.meta_mut().managed_fields = None;
        let written = Arc::new(written);
        self.objects
            .with(object.uid(), |it| it.writes.wrote(written.clone()));
        object.at_version(written)
    }

    /// The newer of what the watch brought of `object` and what we wrote.
    pub(crate) fn newest(&self, object: Identified<K>) -> Identified<K> {
        let newest = self.objects.with(object.uid(), |it| {
            object.at_version(it.writes.newest(object.object()))
        });
        newest.unwrap_or(object)
    }

    /// Counts a failure in a row of the object `uid`, and says how long to wait.
    pub(crate) fn failed(&self, uid: &str) -> Duration {
        let wait = self.objects.with(uid, |it| it.backoff.failed());
        wait.unwrap_or_else(|| Backoff::default().failed())
    }

    /// The object `uid` succeeded: its next failure is the first.
    pub(crate) fn succeeded(&self, uid: &str) {
        self.objects.with(uid, |it| it.backoff = Backoff::default());
    }

    /// How long the object `uid` has to wait for its next reconcile, if it has to.
    pub(crate) fn cooldown(&self, uid: &str) -> Option<Duration> {
        let pause = self.cooldown;
        self.objects.with(uid, |it| it.cooldown.wait(pause))?
    }

    /// A reconcile of the object `uid` ended.
    pub(crate) fn reconciled(&self, uid: &str) {
        self.objects.with(uid, |it| it.cooldown.ended_now());
    }

    /// What `use_it` makes of what the kind itself keeps of the object `uid`; `None` where that is gone.
    pub(crate) fn with<R>(&self, uid: &str, use_it: impl FnOnce(&mut K::Memory) -> R) -> Option<R> {
        self.objects.with(uid, |it| use_it(&mut it.own))
    }

    /// Does something to what the kind itself keeps of every object.
    pub(crate) fn each(&self, mut act: impl FnMut(&mut K::Memory)) {
        self.objects.each(|it| act(&mut it.own));
    }
}

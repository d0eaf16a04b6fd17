//! What the operator keeps in memory of each object of a kind, for as long as the object exists.

mod backoff;
mod cooldown;
mod inspection_cache;
mod object;
mod read_your_writes;
mod status_debounce;
mod tenant;

use std::collections::{HashMap, HashSet};

use kube::Resource;
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, MutexGuard};

pub use inspection_cache::{Inspected, InspectionKey};
pub use object::Memories;
pub use tenant::{Intervals, TenantMemories, TenantMemory};

/// A `T` for each object, by its uid. The watch alone makes and ends one: what a reconcile that is still
/// under way would keep of an object that is gone, is not kept.
#[derive(Debug)]
pub struct Memory<T>(Mutex<MemoryOf<T>>);

#[derive(Debug)]
struct MemoryOf<T> {
    objects: HashMap<String, T>,
    /// Uids that a new list has brought until it is whole.
    coming: Option<HashSet<String>>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self(Mutex::new(MemoryOf {
            objects: HashMap::new(),
            coming: None,
        }))
    }
}

impl<T: Default> Memory<T> {
    fn known(&self) -> MutexGuard<'_, MemoryOf<T>> {
        self.0.lock()
    }

    /// Takes in what the watch brings, before those who act on it do.
    pub fn take<K: Resource>(&self, event: &Event<K>) {
        let known = &mut *self.known();
        match event {
            Event::Init => known.coming = Some(HashSet::new()),
            Event::InitApply(object) => {
                if let Some(uid) = &object.meta().uid {
                    known.objects.entry(uid.clone()).or_default();
                    known.coming.get_or_insert_default().insert(uid.clone());
                }
            }
            Event::InitDone => {
                // What the list lacks went while nobody watched.
                if let Some(there) = known.coming.take() {
                    known.objects.retain(|uid, _| there.contains(uid));
                }
            }
            Event::Apply(object) => {
                if let Some(uid) = &object.meta().uid {
                    known.objects.entry(uid.clone()).or_default();
                }
            }
            Event::Delete(object) => {
                if let Some(uid) = &object.meta().uid {
                    known.objects.remove(uid);
                }
            }
        }
    }

    /// Whether there is an object `uid`.
    fn knows(&self, uid: &str) -> bool {
        self.known().objects.contains_key(uid)
    }

    /// What `use_it` makes of what is kept of the object `uid`; `None` where the object is gone.
    fn with<R>(&self, uid: &str, use_it: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.known().objects.get_mut(uid).map(use_it)
    }

    /// Does something to what is kept of every object.
    fn each(&self, mut act: impl FnMut(&mut T)) {
        self.known().objects.values_mut().for_each(&mut act);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;

    fn object(uid: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.uid = Some(uid.into());
        object
    }

    /// Which of the objects something is kept of, and what.
    fn kept(memory: &Memory<u32>) -> Vec<(&'static str, u32)> {
        let of = |uid| Some((uid, memory.with(uid, |value| *value)?));
        ["a", "b", "c"].into_iter().filter_map(of).collect()
    }

    #[test]
    fn something_is_kept_of_an_object_from_its_first_event_to_its_last() {
        let memory = Memory::<u32>::default();
        assert_eq!(memory.with("a", |value| *value = 1), None, "not there yet");
        memory.take(&Event::Apply(object("a")));
        memory.with("a", |value| *value = 1);
        memory.take(&Event::Apply(object("a")));
        assert_eq!(kept(&memory), [("a", 1)]);
        memory.take(&Event::Delete(object("a")));
        assert_eq!(memory.with("a", |value| *value = 2), None, "it is gone");
        assert_eq!(kept(&memory), []);
    }

    #[test]
    fn an_object_that_went_while_nobody_watched_is_forgotten_and_the_others_are_not() {
        let memory = Memory::<u32>::default();
        memory.take(&Event::Apply(object("a")));
        memory.take(&Event::Apply(object("b")));
        memory.each(|value| *value += 1);
        memory.take::<ConfigMap>(&Event::Init);
        memory.take(&Event::InitApply(object("b")));
        memory.take(&Event::InitApply(object("c")));
        assert_eq!(kept(&memory).len(), 3, "until the list is whole");
        memory.take::<ConfigMap>(&Event::InitDone);
        assert_eq!(kept(&memory), [("b", 1), ("c", 0)]);
    }
}

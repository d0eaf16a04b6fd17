//! Objects of one kind as the watch brought them, kept as JSON and packed: as Rust values they take many
//! times the memory, and each is looked at seldom. Who may write an object decides how large it is, so of one owner
//! only so much is kept. What is not kept is read when it is needed.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::marker::PhantomData;
use std::sync::Arc;

use kube::Resource;
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::cache::owned::controller_uid;
use crate::cache::packed::{Packed, Packing};
use crate::identified::namespace_and_name;

/// Namespace and name.
type Key = (String, String);

/// Bytes that are kept of one owner's objects of one kind, packed. The Secrets of a hundred clients, the most that a
/// tenant has, with as many keys as they may have, take half of them.
const MOST_OF_ONE: usize = 1024 * 1024;

/// An object, and whose it is.
#[derive(Debug)]
struct CachedObject {
    packed: Packed,
    owner: u64,
}

/// Objects, and how much is kept of each owner's.
#[derive(Debug, Default)]
struct Objects {
    by_key: HashMap<Key, CachedObject>,
    bytes: HashMap<u64, usize>,
}

impl Objects {
    fn insert(&mut self, key: Key, object: CachedObject) {
        self.remove(&key);
        let kept = self.bytes.get(&object.owner).copied().unwrap_or_default();
        let bytes = kept + object.packed.size();
        if bytes <= MOST_OF_ONE {
            self.bytes.insert(object.owner, bytes);
            self.by_key.insert(key, object);
        }
    }

    fn remove(&mut self, key: &Key) {
        let Some(CachedObject { packed, owner }) = self.by_key.remove(key) else {
            return;
        };
        if let Some(bytes) = self.bytes.get_mut(&owner) {
            *bytes -= packed.size();
            if *bytes == 0 {
                self.bytes.remove(&owner);
            }
        }
    }
}

/// What a watch has brought so far, shared by those who feed and read it.
#[derive(Debug)]
pub struct ObjectCache<K> {
    known: Arc<Mutex<CachedObjects>>,
    filled: watch::Sender<bool>,
    kind: PhantomData<fn() -> K>,
}

#[derive(Debug, Default)]
struct CachedObjects {
    objects: Objects,
    /// What a new list has brought until it is whole.
    coming: Option<Objects>,
    packing: Packing,
}

impl<K> Clone for ObjectCache<K> {
    fn clone(&self) -> Self {
        Self {
            known: self.known.clone(),
            filled: self.filled.clone(),
            kind: PhantomData,
        }
    }
}

impl<K> Default for ObjectCache<K> {
    fn default() -> Self {
        Self {
            known: Arc::default(),
            filled: watch::Sender::new(false),
            kind: PhantomData,
        }
    }
}

impl<K: Resource + Serialize + DeserializeOwned> ObjectCache<K> {
    fn known(&self) -> MutexGuard<'_, CachedObjects> {
        self.known.lock()
    }

    /// Takes in what the watch brings; returns what a new list lacks, which went while nobody watched.
    pub fn take(&self, event: &Event<K>) -> Vec<K> {
        let mut known = self.known();
        match event {
            Event::Init => known.coming = Some(Objects::default()),
            Event::InitApply(object) => {
                let packed = known.pack(object);
                let coming = known.coming.get_or_insert_default();
                take_in(coming, object, packed);
            }
            Event::InitDone => {
                let now = known.coming.take().unwrap_or_default();
                let mut before = std::mem::replace(&mut known.objects, now).by_key;
                before.retain(|key, _| !known.objects.by_key.contains_key(key));
                self.filled.send_replace(true);
                let gone = before.values();
                return gone.map(|gone| known.read(&gone.packed)).collect();
            }
            Event::Apply(object) => {
                let packed = known.pack(object);
                take_in(&mut known.objects, object, packed);
            }
            Event::Delete(object) => {
                if let Some(key) = namespace_and_name(object) {
                    known.objects.remove(&key);
                }
            }
        }
        Vec::new()
    }

    /// The object `name` in `namespace`.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<K> {
        let key = (namespace.to_owned(), name.to_owned());
        let known = self.known();
        Some(known.read(&known.objects.by_key.get(&key)?.packed))
    }

    /// Whether there is an object `name` in `namespace`.
    #[must_use]
    pub fn has(&self, namespace: &str, name: &str) -> bool {
        let key = (namespace.to_owned(), name.to_owned());
        self.known().objects.by_key.contains_key(&key)
    }

    /// Returns once the watch has brought all there are.
    pub async fn wait_until_filled(&self) {
        // The sender is ours: it does not go before we do.
        let _ = self.filled.subscribe().wait_for(|filled| *filled).await;
    }
}

/// Keeps an object in `objects`, or nothing of it where it is too large.
fn take_in<K: Resource>(objects: &mut Objects, object: &K, packed: Option<Packed>) {
    let Some(key) = namespace_and_name(object) else {
        return;
    };
    match packed {
        Some(packed) => {
            let mut owner = DefaultHasher::new();
            controller_uid(object).hash(&mut owner);
            let owner = owner.finish();
            objects.insert(key, CachedObject { packed, owner });
        }
        None => objects.remove(&key),
    }
}

impl CachedObjects {
    /// Nothing where it is too large: others would be compared with it.
    fn pack<K: Serialize>(&mut self, object: &K) -> Option<Packed> {
        let written = serde_json::to_vec(object).expect("Kubernetes objects serialize");
        (written.len() <= MOST_OF_ONE).then(|| self.packing.pack(&written))
    }

    fn read<K: DeserializeOwned>(&self, packed: &Packed) -> K {
        let written = self.packing.unpack(packed);
        serde_json::from_slice(&written).expect("it was written from an object")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::json;

    fn object(name: &str, value: &str) -> ConfigMap {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "acme"}, "data": {"key": value},
        }))
        .expect("a ConfigMap")
    }

    #[test]
    fn an_object_is_as_the_watch_last_brought_it_until_it_is_gone() {
        let kept = ObjectCache::default();
        kept.take(&Event::Apply(object("a", "1")));
        kept.take(&Event::Apply(object("a", "2")));
        assert_eq!(kept.get("acme", "a"), Some(object("a", "2")));
        assert_eq!(kept.get("other", "a"), None);
        kept.take(&Event::Delete(object("a", "2")));
        assert_eq!(kept.get("acme", "a"), None);
    }

    /// Text that cannot be packed.
    fn noise(bytes: usize, seed: u64) -> String {
        let mut state = seed | 1;
        let letters = (0..bytes).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'!' + u8::try_from((state >> 33) % 90).expect("less than 90"))
        });
        letters.collect()
    }

    fn owned(name: &str, value: &str, uid: &str) -> ConfigMap {
        let mut object = object(name, value);
        let owner = json!([{"apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant", "name": "a",
            "uid": uid, "controller": true}]);
        object.metadata.owner_references = serde_json::from_value(owner).expect("an owner");
        object
    }

    #[test]
    fn of_one_owner_no_more_is_kept_than_a_tenant_can_have() {
        let kept = ObjectCache::default();
        let part = |seed| noise(MOST_OF_ONE / 4, seed);
        for (name, seed) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
            kept.take(&Event::Apply(owned(name, &part(seed), "u")));
        }
        let there = |name| kept.has("acme", name);
        let all = ["a", "b", "c", "d"].map(there);
        assert_eq!(all.iter().filter(|there| **there).count(), 3, "{all:?}");
        kept.take(&Event::Apply(owned("e", &part(5), "another")));
        assert!(there("e"), "it is another's");
        kept.take(&Event::Delete(owned("a", "", "u")));
        kept.take(&Event::Apply(owned("d", &part(4), "u")));
        assert!(there("d"), "there is room again");
        assert_eq!(kept.get("acme", "d"), Some(owned("d", &part(4), "u")));
    }

    #[test]
    fn an_object_that_becomes_too_large_is_not_kept_as_it_was() {
        let kept = ObjectCache::default();
        kept.take(&Event::Apply(object("a", "1")));
        kept.take(&Event::Apply(object("a", &noise(MOST_OF_ONE, 1))));
        assert_eq!(kept.get("acme", "a"), None);
    }

    #[tokio::test]
    async fn a_new_list_takes_the_place_of_the_old_one_when_it_is_whole() {
        let kept = ObjectCache::default();
        kept.take(&Event::Apply(object("a", "1")));
        assert_eq!(kept.take(&Event::Init), []);
        kept.take(&Event::InitApply(object("b", "1")));
        assert_eq!(kept.get("acme", "b"), None);
        let gone = kept.take(&Event::InitDone);
        assert_eq!(gone, [object("a", "1")], "it went while nobody watched");
        kept.wait_until_filled().await;
        assert_eq!(kept.get("acme", "a"), None);
        assert_eq!(kept.get("acme", "b"), Some(object("b", "1")));
    }
}

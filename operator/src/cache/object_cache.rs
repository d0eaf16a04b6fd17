//! Objects of one kind as the watch brought them, kept as JSON and packed: as Rust values they take many
//! times the memory, and each is looked at seldom.

use std::collections::HashMap;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use kube::Resource;
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::cache::packed::{Packed, Packing};
use crate::identified::namespace_and_name;

/// By namespace and name.
type Objects = HashMap<(String, String), Packed>;

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
                if let Some(key) = namespace_and_name(object) {
                    let packed = known.pack(object);
                    known.coming.get_or_insert_default().insert(key, packed);
                }
            }
            Event::InitDone => {
                let now = known.coming.take().unwrap_or_default();
                let mut before = std::mem::replace(&mut known.objects, now);
                before.retain(|key, _| !known.objects.contains_key(key));
                self.filled.send_replace(true);
                return before.values().map(|gone| known.read(gone)).collect();
            }
            Event::Apply(object) => {
                if let Some(key) = namespace_and_name(object) {
                    let packed = known.pack(object);
                    known.objects.insert(key, packed);
                }
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
        Some(known.read(known.objects.get(&key)?))
    }

    /// Whether there is an object `name` in `namespace`.
    #[must_use]
    pub fn has(&self, namespace: &str, name: &str) -> bool {
        let key = (namespace.to_owned(), name.to_owned());
        self.known().objects.contains_key(&key)
    }

    /// Returns once the watch has brought all there are.
    pub async fn wait_until_filled(&self) {
        // The sender is ours: it does not go before we do.
        let _ = self.filled.subscribe().wait_for(|filled| *filled).await;
    }
}

impl CachedObjects {
    fn pack<K: Serialize>(&mut self, object: &K) -> Packed {
        let written = serde_json::to_vec(object).expect("Kubernetes objects serialize");
        self.packing.pack(&written)
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

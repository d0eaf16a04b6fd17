//! Which objects of a kind there are, by namespace.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, MutexGuard};

use crate::identified::namespace_and_name;
use crate::reconciled_kind::ReconciledKind;

/// Names of objects of one kind by namespace: all of them are too many to look through for each Secret.
#[derive(Clone, Debug, Default)]
pub struct NamespaceIndex(Arc<Mutex<HashMap<String, BTreeSet<String>>>>);

impl NamespaceIndex {
    fn names(&self) -> MutexGuard<'_, HashMap<String, BTreeSet<String>>> {
        self.0.lock()
    }

    /// Takes in what the watch brings. What ended unseen stays, and is not in the store.
    pub fn take<K: Resource>(&self, event: &Event<K>) {
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                if let Some((namespace, name)) = namespace_and_name(object) {
                    self.names().entry(namespace).or_default().insert(name);
                }
            }
            Event::Delete(object) => {
                let Some((namespace, name)) = namespace_and_name(object) else {
                    return;
                };
                let mut names = self.names();
                if let Some(of_namespace) = names.get_mut(&namespace) {
                    of_namespace.remove(&name);
                    if of_namespace.is_empty() {
                        names.remove(&namespace);
                    }
                }
            }
            Event::Init | Event::InitDone => {}
        }
    }

    /// The objects in `store` that name the Secret `secret` in `namespace`.
    #[must_use]
    pub fn that_name<K: ReconciledKind>(
        &self,
        namespace: &str,
        secret: &str,
        store: &Store<K>,
    ) -> Vec<ObjectRef<K>> {
        let names = self.names();
        let found = names.get(namespace).into_iter().flatten();
        let found = found.map(|name| ObjectRef::new(name).within(namespace));
        found
            .filter(|object| {
                let object = store.get(object);
                object.is_some_and(|object| object.secrets().any(|it| it == secret))
            })
            .collect()
    }
}

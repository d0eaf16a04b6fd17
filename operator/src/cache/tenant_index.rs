//! Which tenants there are, by namespace.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use docket_crds::DocumentTenant;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;

use crate::identified::namespace_and_name;

/// Names of tenants by namespace: all tenants are too many to look through for each Secret.
#[derive(Clone, Debug, Default)]
pub struct TenantIndex(Arc<Mutex<HashMap<String, BTreeSet<String>>>>);

impl TenantIndex {
    fn names(&self) -> MutexGuard<'_, HashMap<String, BTreeSet<String>>> {
        self.0.lock().expect("no holder of this lock panics")
    }

    /// Takes in what the watch brings. What ended unseen stays, and is not in the store.
    pub fn take(&self, event: &Event<DocumentTenant>) {
        match event {
            Event::Apply(tenant) | Event::InitApply(tenant) => {
                if let Some((namespace, name)) = namespace_and_name(tenant) {
                    self.names().entry(namespace).or_default().insert(name);
                }
            }
            Event::Delete(tenant) => {
                let Some((namespace, name)) = namespace_and_name(tenant) else {
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

    /// The tenants in `store` that name the Secret `secret` in `namespace`.
    #[must_use]
    pub fn that_name(
        &self,
        namespace: &str,
        secret: &str,
        store: &Store<DocumentTenant>,
    ) -> Vec<ObjectRef<DocumentTenant>> {
        let names = self.names();
        let found = names.get(namespace).into_iter().flatten();
        let found = found.map(|name| ObjectRef::new(name).within(namespace));
        found
            .filter(|tenant| {
                let tenant = store.get(tenant);
                tenant.is_some_and(|tenant| tenant.spec.secrets().any(|it| it.name == secret))
            })
            .collect()
    }
}

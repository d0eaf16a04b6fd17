//! How tenants reached what is outside the cluster when they last did, for their deletion: with its
//! namespace, a Secret may go before the tenant does.

use std::collections::HashMap;
use std::sync::Mutex;

/// Something of each tenant, by the tenant's uid.
#[derive(Debug)]
pub struct LastKnown<T>(Mutex<HashMap<String, T>>);

impl<T> Default for LastKnown<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> LastKnown<T> {
    /// Remembers `value` of the tenant `uid`.
    pub fn remember(&self, uid: &str, value: T) {
        self.0
            .lock()
            .expect("no holder of this lock panics")
            .insert(uid.to_owned(), value);
    }

    /// What was last remembered of the tenant `uid`.
    #[must_use]
    pub fn remembered(&self, uid: &str) -> Option<T> {
        self.0
            .lock()
            .expect("no holder of this lock panics")
            .get(uid)
            .cloned()
    }

    /// Forgets a tenant that is gone.
    pub fn forget(&self, uid: &str) {
        self.0
            .lock()
            .expect("no holder of this lock panics")
            .remove(uid);
    }
}

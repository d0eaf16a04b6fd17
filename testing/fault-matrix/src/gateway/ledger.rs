//! What came by, for those who count.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use http::Method;

/// A write as it was sent.
#[derive(Clone, Debug)]
pub struct Written {
    /// Verb of HTTP.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Type of the body.
    pub content_type: String,
    /// The body.
    pub body: String,
}

/// Every request by verb and resource, and the writes to one namespace themselves.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    calls: BTreeMap<String, u64>,
    copied: Option<String>,
    copies: Vec<Written>,
}

impl Ledger {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder of this lock panics")
    }

    pub fn count(&self, name: &str) {
        *self.inner().calls.entry(name.to_owned()).or_default() += 1;
    }

    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.inner().calls.clone()
    }

    /// From now on keeps the writes to `namespace`.
    pub fn copy(&self, namespace: &str) {
        self.inner().copied = Some(format!("/namespaces/{namespace}/"));
    }

    pub fn saw(&self, write: impl FnOnce() -> Written, path: &str) {
        let mut inner = self.inner();
        let copied = inner.copied.as_ref();
        if copied.is_some_and(|copied| path.contains(copied)) {
            inner.copies.push(write());
        }
    }

    pub fn copies(&self) -> Vec<Written> {
        self.inner().copies.clone()
    }
}

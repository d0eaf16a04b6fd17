//! Objects with the identity that the API server gave them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use kube::Resource;

/// What tells a stored object apart from every other one of its kind, those before and after it included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectIdentity {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
}

impl fmt::Display for ObjectIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A namespaced object that the API server stores, with its identity: made once, where the object comes in,
/// so that nobody further in has to think of one that has none.
#[derive(Debug)]
pub struct Identified<K> {
    identity: Arc<ObjectIdentity>,
    object: Arc<K>,
}

impl<K> Clone for Identified<K> {
    fn clone(&self) -> Self {
        Self {
            identity: self.identity.clone(),
            object: self.object.clone(),
        }
    }
}

impl<K: Resource> Identified<K> {
    /// `object` with its identity; `None` where it lacks a namespace, a name or a uid, which no object that
    /// was ever stored does.
    #[must_use]
    pub fn new(object: Arc<K>) -> Option<Self> {
        let present = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let meta = object.meta();
        let identity = ObjectIdentity {
            namespace: present(&meta.namespace)?,
            name: present(&meta.name)?,
            uid: present(&meta.uid)?,
        };
        Some(Self {
            identity: Arc::new(identity),
            object,
        })
    }
}

impl<K> Identified<K> {
    /// Another version of the same object.
    #[must_use]
    pub fn at_version(&self, object: Arc<K>) -> Self {
        Self {
            identity: self.identity.clone(),
            object,
        }
    }

    /// The object itself.
    #[must_use]
    pub fn object(&self) -> Arc<K> {
        self.object.clone()
    }

    /// What tells it apart from all others.
    #[must_use]
    pub fn identity(&self) -> &ObjectIdentity {
        &self.identity
    }

    /// `metadata.namespace`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.identity.namespace
    }

    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// `metadata.uid`.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.identity.uid
    }
}

impl<K> Deref for Identified<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.object
    }
}

/// Namespace and name of an object, by which it is looked up; `None` where it lacks one, which no namespaced
/// object that was ever stored does.
pub(crate) fn namespace_and_name<K: Resource>(object: &K) -> Option<(String, String)> {
    let meta = object.meta();
    Some((meta.namespace.clone()?, meta.name.clone()?))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::{Value, json};

    use super::*;

    fn identified(metadata: Value) -> Option<Identified<ConfigMap>> {
        let object = serde_json::from_value(json!({"metadata": metadata})).expect("a ConfigMap");
        Identified::new(Arc::new(object))
    }

    #[test]
    fn an_object_without_an_identity_comes_no_further() {
        let whole = json!({"namespace": "acme", "name": "a", "uid": "u"});
        let object = identified(whole.clone()).expect("it has all three");
        assert_eq!(object.identity().to_string(), "acme/a");
        for missing in ["namespace", "name", "uid"] {
            for value in [Value::Null, json!("")] {
                let mut metadata = whole.clone();
                metadata[missing] = value;
                assert!(identified(metadata).is_none(), "{missing}");
            }
        }
    }
}

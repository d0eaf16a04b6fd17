//! Whose an object is that carries our label: anybody may put that on anything.

use std::sync::Arc;

use kube::Resource;
use kube::runtime::watcher::Event;

/// The uid of the object that cares for `object`, if one does.
pub(crate) fn controller_uid<K: Resource>(object: &K) -> Option<&str> {
    let owners = object.meta().owner_references.iter().flatten();
    let mut controllers = owners.filter(|owner| owner.controller == Some(true));
    controllers.next().map(|owner| &*owner.uid)
}

/// Tells whether there is an owner of some uid.
pub(crate) type Owners = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What is to be kept of what a watch brings: an object that is nobody's whom we care for is as good as gone.
pub(crate) fn that_are_owned<K: Resource>(event: Event<K>, owners: &Owners) -> Option<Event<K>> {
    let is_owned = |object: &K| controller_uid(object).is_some_and(|uid| owners(uid));
    match event {
        Event::Apply(object) if !is_owned(&object) => Some(Event::Delete(object)),
        Event::InitApply(object) if !is_owned(&object) => None,
        event => Some(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::{Value, json};

    fn object(owners: Value) -> ConfigMap {
        let object =
            json!({"metadata": {"name": "a", "namespace": "acme", "ownerReferences": owners}});
        serde_json::from_value(object).expect("a ConfigMap")
    }

    fn owner(uid: &str, controller: bool) -> Value {
        json!({"apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant", "name": "a", "uid": uid,
            "controller": controller})
    }

    #[test]
    fn only_what_a_known_owner_cares_for_is_kept() {
        let known: Owners = Arc::new(|uid| uid == "u");
        for (owners, is_kept) in [
            (json!([owner("u", true)]), true),
            (json!([owner("another", false), owner("u", true)]), true),
            (json!([]), false),
            (json!([owner("u", false)]), false),
            (json!([owner("another", true)]), false),
            (json!([owner("another", true), owner("u", false)]), false),
        ] {
            let object = object(owners.clone());
            let listed = that_are_owned(Event::InitApply(object.clone()), &known);
            assert_eq!(listed.is_some(), is_kept, "{owners}");
            let now = that_are_owned(Event::Apply(object), &known);
            let is_there = matches!(now, Some(Event::Apply(_)));
            assert_eq!(is_there, is_kept, "{owners}");
        }
        let gone = that_are_owned(Event::Delete(object(json!([]))), &known);
        assert!(matches!(gone, Some(Event::Delete(_))), "whosever it was");
    }
}

//! Whether an object is already as it should be.

use kube::Resource;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Annotation with the hash of what was applied. It shows that a field was taken out of what we
/// want, which a comparison with the live object alone would not.
const APPLIED_HASH: &str = "docket.dev/applied-hash";

/// `child` with the hash of itself.
pub(super) fn with_hash<K: Resource + Serialize>(mut child: K) -> K {
    let json = serde_json::to_vec(&child).expect("Kubernetes objects serialize");
    let hash = hex::encode(Sha256::digest(json))[..16].to_owned();
    child
        .meta_mut()
        .annotations
        .get_or_insert_default()
        .insert(APPLIED_HASH.to_owned(), hash);
    child
}

/// Whether all that `wanted` says is already so in `live`; what others added to it is left alone.
pub(super) fn is_so<K: Serialize>(wanted: &K, live: &K) -> bool {
    match (serde_json::to_value(wanted), serde_json::to_value(live)) {
        (Ok(wanted), Ok(live)) => contains(&live, &wanted),
        _ => false,
    }
}

fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            live.get(key)
                .map_or_else(|| is_empty(value), |live| contains(live, value))
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len()
                && live
                    .iter()
                    .zip(wanted)
                    .all(|(live, wanted)| contains(live, wanted))
        }
        _ => live == wanted,
    }
}

/// The API server drops what is empty.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_others_added_is_left_alone() {
        let wanted = json!({"spec": {"a": 1}});
        assert!(contains(
            &json!({"spec": {"a": 1, "b": 2}, "status": {}}),
            &wanted
        ));
    }

    #[test]
    fn a_value_that_was_changed_or_removed_is_seen() {
        let wanted = json!({"spec": {"a": 1, "list": [{"x": 1}]}});
        assert!(!contains(
            &json!({"spec": {"a": 2, "list": [{"x": 1}]}}),
            &wanted
        ));
        assert!(!contains(&json!({"spec": {"list": [{"x": 1}]}}), &wanted));
        assert!(!contains(
            &json!({"spec": {"a": 1, "list": [{"x": 1}, {"x": 2}]}}),
            &wanted
        ));
    }

    #[test]
    fn a_field_that_is_no_longer_wanted_is_seen_by_the_hash() {
        let with = |data: &[&str]| {
            with_hash(ConfigMap {
                data: Some(
                    data.iter()
                        .map(|k| ((*k).to_owned(), "v".to_owned()))
                        .collect(),
                ),
                ..ConfigMap::default()
            })
        };
        assert!(is_so(&with(&["a"]), &with(&["a"])));
        assert!(!is_so(&with(&["a"]), &with(&["a", "b"])));
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[a-z]{0,4}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_wanted_is_so_once_it_is_there(value in tree()) {
            prop_assert!(contains(&value, &value));
        }
    }
}

//! Whether an object is already as it should be.

use std::fmt;

use docket_crds::annotations::APPLIED_HASH;
use kube::Resource;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::quantity;

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

/// The hash of what was applied when `object` was.
pub(super) fn applied_hash<K: Resource>(object: &K) -> Option<&String> {
    object.meta().annotations.as_ref()?.get(APPLIED_HASH)
}

/// Where `live` is not as `wanted` says; what others added to it is left alone.
pub(super) fn between<K: Serialize>(wanted: &K, live: &K) -> Vec<FieldPath> {
    let [wanted, live] = [wanted, live]
        .map(|object| serde_json::to_value(object).expect("Kubernetes objects serialize"));
    let mut places = Vec::new();
    compare(&live, &wanted, &mut FieldPath::default(), &mut places);
    places
}

/// A field of an object, by the keys that lead to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldPath(Vec<String>);

impl FieldPath {
    pub(super) fn keys(&self) -> &[String] {
        &self.0
    }

    /// Whether it is the hash of what was applied.
    pub(super) fn is_applied_hash(&self) -> bool {
        self.0.last().is_some_and(|key| key == APPLIED_HASH)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.0.iter().enumerate() {
            match (key.contains('.') || key.contains('/'), at) {
                (true, _) => write!(f, "[{key}]")?,
                (false, 0) => write!(f, "{key}")?,
                (false, _) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// Keys by which the API server tells the entries of a list apart; those of other lists belong to
/// whoever applied the list.
fn merge_key(place: &FieldPath) -> Option<&'static str> {
    let FieldPath(keys) = place;
    match keys.last()?.as_str() {
        "ports"
            if keys
                .iter()
                .any(|key| key == "containers" || key == "initContainers") =>
        {
            Some("containerPort")
        }
        // Those of a NetworkPolicy are part of its rule.
        "ports" if keys.len() == 2 => Some("port"),
        "containers" | "initContainers" | "env" | "volumes" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "ownerReferences" => Some("uid"),
        _ => None,
    }
}

fn compare(live: &Value, wanted: &Value, place: &mut FieldPath, places: &mut Vec<FieldPath>) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (key, value) in wanted {
                place.0.push(key.clone());
                match live.get(key) {
                    Some(live) if is_same_quantity(place, live, value) => {}
                    Some(live) => compare(live, value, place, places),
                    None if is_empty(value) => {}
                    None => places.push(place.clone()),
                }
                place.0.pop();
            }
        }
        (Value::Array(live), Value::Array(wanted)) => {
            let key = merge_key(place);
            if key.is_none() && live.len() != wanted.len() {
                return places.push(place.clone());
            }
            for (at, value) in wanted.iter().enumerate() {
                let same = |one: &&Value| key.is_some_and(|key| one[key] == value[key]);
                let found = match key {
                    Some(_) => live.iter().find(same),
                    None => live.get(at),
                };
                let name = key.and_then(|key| value[key].as_str());
                place
                    .0
                    .push(name.map_or_else(|| at.to_string(), str::to_owned));
                match found {
                    Some(live) => compare(live, value, place, places),
                    None => places.push(place.clone()),
                }
                place.0.pop();
            }
        }
        _ if live == wanted => {}
        _ => places.push(place.clone()),
    }
}

/// Whether both are the same amount of a resource: the API server writes it in its own way.
fn is_same_quantity(place: &FieldPath, live: &Value, wanted: &Value) -> bool {
    let list = place.0.iter().rev().nth(1);
    list.is_some_and(|list| list == "requests" || list == "limits")
        && match (live.as_str(), wanted.as_str()) {
            (Some(live), Some(wanted)) => quantity::same(live, wanted),
            _ => false,
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

    fn contains(live: &Value, wanted: &Value) -> bool {
        let mut places = Vec::new();
        compare(live, wanted, &mut FieldPath::default(), &mut places);
        places.is_empty()
    }

    fn is_so<K: Serialize>(wanted: &K, live: &K) -> bool {
        between(wanted, live).is_empty()
    }

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
    fn resources_that_the_api_server_writes_in_its_own_way_are_so() {
        let resources = |cpu: &str, memory: &str| json!({"resources": {"requests": {"cpu": cpu, "memory": memory}}});
        let wanted = resources("0.1", "0.5Gi");
        assert!(contains(&resources("100m", "512Mi"), &wanted));
        assert!(!contains(&resources("200m", "512Mi"), &wanted));
        assert!(!contains(
            &json!({"resources": {"requests": {"cpu": "100m"}}}),
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

    #[test]
    fn an_entry_that_others_added_to_a_list_with_keys_is_left_alone() {
        let wanted = json!({"env": [{"name": "A", "value": "1"}], "list": [{"port": 80}]});
        let live = json!({"env": [{"name": "X", "value": "2"}, {"name": "A", "value": "1"}], "list": [{"port": 80}]});
        assert!(contains(&live, &wanted));
        let changed =
            json!({"env": [{"name": "A", "value": "2"}], "list": [{"port": 80}, {"port": 81}]});
        let mut places = Vec::new();
        compare(&changed, &wanted, &mut FieldPath::default(), &mut places);
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["env.A.value", "list"]);
    }

    #[test]
    fn a_port_that_others_added_is_left_alone_and_one_in_a_rule_of_a_network_policy_is_not() {
        let ports =
            |list: &[u16]| -> Value { list.iter().map(|port| json!({"port": port})).collect() };
        let service = |list: &[u16]| json!({"spec": {"ports": ports(list)}});
        assert!(contains(&service(&[99, 80]), &service(&[80])));
        assert!(!contains(&service(&[99]), &service(&[80])));
        let policy = |list: &[u16]| json!({"spec": {"ingress": [{"ports": ports(list)}]}});
        assert!(!contains(&policy(&[80, 99]), &policy(&[80])));
    }

    #[test]
    fn a_place_reads_as_in_a_manifest() {
        let place = FieldPath(
            ["metadata", "annotations", "example.com/plan"]
                .map(str::to_owned)
                .into(),
        );
        assert_eq!(place.to_string(), "metadata.annotations[example.com/plan]");
    }

    proptest! {
        #[test]
        fn whatever_is_wanted_is_so_once_it_is_there(value in tree()) {
            prop_assert!(contains(&value, &value));
        }
    }
}

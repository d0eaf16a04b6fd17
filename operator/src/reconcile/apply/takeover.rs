//! A child's fields become applied: a create writes them down as updated, and an apply takes out only what was
//! applied before.

use docket_crds::names::OPERATOR_FIELD_MANAGER;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::Resource;
use serde_json::{Value, json};

/// The merge patch of `live` after which all that we wrote counts as applied, where not all of it does. It
/// fails when `live` is no longer what it was.
pub(super) fn before<K: Resource>(live: &K) -> Option<Value> {
    let meta = live.meta();
    let all = meta.managed_fields.clone().unwrap_or_default();
    let (ours, mut others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_ours);
    if ours
        .iter()
        .all(|entry| entry.operation.as_deref() == Some(APPLY))
    {
        return None;
    }
    let applied = ours.into_iter().reduce(|mut one, other| {
        if let (Some(one), Some(other)) = (&mut one.fields_v1, other.fields_v1) {
            unite(&mut one.0, other.0);
        }
        one
    })?;
    others.push(ManagedFieldsEntry {
        operation: Some(APPLY.to_owned()),
        ..applied
    });
    let version = &meta.resource_version;
    Some(json!({"metadata": {"resourceVersion": version, "managedFields": others}}))
}

const APPLY: &str = "Apply";

fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    entry.manager.as_deref() == Some(OPERATOR_FIELD_MANAGER) && entry.subresource.is_none()
}

/// Adds to the set of fields `one` those of `other`: both are trees of names.
fn unite(one: &mut Value, other: Value) {
    if let (Value::Object(one), Value::Object(other)) = (one, other) {
        for (name, below) in other {
            unite(one.entry(name).or_insert_with(|| json!({})), below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn managed(entries: &[Value]) -> ConfigMap {
        serde_json::from_value(json!({
            "metadata": {"name": "a", "resourceVersion": "7", "managedFields": entries},
        }))
        .expect("a ConfigMap")
    }

    #[test]
    fn what_was_created_counts_as_applied_and_what_others_have_stays_theirs() {
        let fields = json!({"f:data": {"f:a": {}}});
        let theirs = entry("kubectl-edit", "Update", json!({"f:data": {"f:b": {}}}));
        let created = managed(&[
            entry(OPERATOR_FIELD_MANAGER, "Update", fields.clone()),
            theirs.clone(),
        ]);
        let taken = before(&created).expect("a patch");
        assert_eq!(taken["metadata"]["resourceVersion"], "7");
        let entries = &taken["metadata"]["managedFields"];
        assert_eq!(
            *entries,
            json!([theirs, entry(OPERATOR_FIELD_MANAGER, APPLY, fields)])
        );
        let done: Vec<Value> = entries.as_array().cloned().expect("entries");
        assert_eq!(before(&managed(&done)), None, "once");
    }

    #[test]
    fn an_apply_that_came_between_loses_none_of_its_fields() {
        let created = entry(
            OPERATOR_FIELD_MANAGER,
            "Update",
            json!({"f:data": {".": {}, "f:a": {}}}),
        );
        let applied = entry(
            OPERATOR_FIELD_MANAGER,
            APPLY,
            json!({"f:data": {"f:b": {}}}),
        );
        let taken = before(&managed(&[created, applied])).expect("a patch");
        let all = json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}});
        let entries = &taken["metadata"]["managedFields"];
        assert_eq!(*entries, json!([entry(OPERATOR_FIELD_MANAGER, APPLY, all)]));
    }

    #[test]
    fn what_others_wrote_or_a_status_says_is_not_ours_to_take() {
        let mut status = entry(OPERATOR_FIELD_MANAGER, "Update", json!({"f:status": {}}));
        status["subresource"] = "status".into();
        let theirs = entry("kubectl-edit", "Update", json!({"f:data": {}}));
        assert_eq!(before(&managed(&[status, theirs])), None);
        assert_eq!(before(&managed(&[])), None);
    }
}

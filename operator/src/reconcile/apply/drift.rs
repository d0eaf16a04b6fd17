//! Who changed a child by hand, read from its managed fields.

use docket_crds::names::OPERATOR_FIELD_MANAGER;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use super::difference::FieldPath;

/// The field manager that has one of `places` now; of several the latest. Nobody has a field that
/// was taken out.
pub(super) fn changed_by<'a>(
    managers: &'a [ManagedFieldsEntry],
    places: &[FieldPath],
) -> Option<&'a str> {
    managers
        .iter()
        .filter(|entry| entry.manager.as_deref() != Some(OPERATOR_FIELD_MANAGER))
        .filter(|entry| entry.subresource.as_deref() != Some("status"))
        .filter(|entry| {
            let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
            fields.is_some_and(|fields| places.iter().any(|place| has(fields, place.keys())))
        })
        .max_by(|a, b| {
            a.time
                .as_ref()
                .map(|at| at.0)
                .cmp(&b.time.as_ref().map(|at| at.0))
        })
        .and_then(|entry| entry.manager.as_deref())
}

/// Whether a set of fields (`f:` before each name) has the field that `keys` lead to, as far as that
/// leads through objects: entries of lists are named by several keys at once.
fn has(fields: &Value, keys: &[String]) -> bool {
    let Some((key, rest)) = keys.split_first() else {
        return true;
    };
    let Some(fields) = fields.as_object() else {
        return false;
    };
    match fields.get(&format!("f:{key}")) {
        Some(below) => has(below, rest),
        None => fields.keys().any(|name| name.starts_with("k:")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::difference::between;
    use super::*;
    use serde_json::json;

    fn entry(manager: &str, subresource: &str, second: u8, fields: Value) -> ManagedFieldsEntry {
        serde_json::from_value(json!({"manager": manager, "subresource": subresource,
            "time": format!("2026-11-21T12:00:{second:02}Z"), "fieldsV1": fields}))
        .expect("an entry")
    }

    fn replicas() -> Vec<FieldPath> {
        between(
            &json!({"spec": {"replicas": 2}}),
            &json!({"spec": {"replicas": 3}}),
        )
    }

    #[test]
    fn the_manager_that_has_the_field_now_is_named() {
        let fields = || json!({"f:spec": {"f:replicas": {}}});
        let managers = [
            entry(OPERATOR_FIELD_MANAGER, "", 9, fields()),
            entry(
                "kubectl-label",
                "",
                8,
                json!({"f:metadata": {"f:labels": {"f:a": {}}}}),
            ),
            entry("kube-controller-manager", "status", 7, fields()),
            entry("kubectl-edit", "", 1, fields()),
            entry("kubectl", "scale", 2, fields()),
        ];
        assert_eq!(changed_by(&managers, &replicas()), Some("kubectl"));
    }

    #[test]
    fn an_entry_of_a_list_is_found_by_what_leads_to_it() {
        let places = between(
            &json!({"spec": {"containers": [{"name": "api", "image": "a"}]}}),
            &json!({"spec": {"containers": [{"name": "api", "image": "b"}]}}),
        );
        let fields = json!({"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {"f:image": {}}}}});
        assert_eq!(
            changed_by(&[entry("kubectl-set", "", 1, fields)], &places),
            Some("kubectl-set")
        );
    }

    #[test]
    fn nobody_is_named_for_a_field_that_was_taken_out() {
        let fields = json!({"f:metadata": {"f:labels": {"f:a": {}}}});
        assert_eq!(
            changed_by(&[entry("kubectl", "", 1, fields)], &replicas()),
            None
        );
    }
}

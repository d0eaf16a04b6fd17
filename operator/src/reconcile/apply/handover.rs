//! The number of a Deployment's pods passes from the operator to an autoscaler without being another one
//! in between: server-side apply sets back what its only owner no longer names, here to one pod.

use docket_crds::names::OPERATOR_FIELD_MANAGER;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::Resource;
use serde::Serialize;
use serde_json::{Value, json};

/// What [`HANDOVER_FIELD_MANAGER`] is to apply to `live` before `wanted` is: the number of pods as it is, where we own
/// it and `wanted` no longer names it. It fails when `live` is no longer what it was.
pub(super) fn before<K>(wanted: &K, live: &K) -> Option<Value>
where
    K: Resource<DynamicType = ()> + Serialize,
{
    let number = |object: &K| {
        Some(
            serde_json::to_value(object).ok()?["spec"]
                .get("replicas")?
                .clone(),
        )
    };
    if K::kind(&()) != "Deployment" || number(wanted).is_some() {
        return None;
    }
    let meta = live.meta();
    meta.managed_fields
        .iter()
        .flatten()
        .find(|entry| is_ours(entry))?;
    Some(json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": meta.name, "uid": meta.uid, "resourceVersion": meta.resource_version},
        "spec": {"replicas": number(live)?},
    }))
}

fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
    entry.manager.as_deref() == Some(OPERATOR_FIELD_MANAGER)
        && entry.subresource.is_none()
        && fields.is_some_and(|fields| !fields["f:spec"]["f:replicas"].is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_crds::names::HANDOVER_FIELD_MANAGER;
    use k8s_openapi::api::apps::v1::Deployment;

    fn deployment(replicas: Option<i32>, manager: &str) -> Deployment {
        let mut fields = json!({"f:spec": {"f:template": {}}});
        if replicas.is_some() {
            fields["f:spec"]["f:replicas"] = json!({});
        }
        serde_json::from_value(json!({
            "metadata": {"name": "acme-api", "uid": "u", "resourceVersion": "7", "managedFields": [
                {"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields}]},
            "spec": {"replicas": replicas, "selector": {}, "template": {}},
        }))
        .expect("a Deployment")
    }

    #[test]
    fn a_number_that_we_own_and_no_longer_name_is_kept_as_it_is() {
        let (unnamed, named) = (
            deployment(None, OPERATOR_FIELD_MANAGER),
            deployment(Some(2), OPERATOR_FIELD_MANAGER),
        );
        let kept =
            before(&unnamed, &deployment(Some(5), OPERATOR_FIELD_MANAGER)).expect("a handover");
        assert_eq!(kept["spec"], json!({"replicas": 5}));
        assert_eq!(kept["metadata"]["resourceVersion"], "7");
        assert_eq!(
            before(&named, &deployment(Some(5), OPERATOR_FIELD_MANAGER)),
            None
        );
    }

    #[test]
    fn a_number_that_others_own_needs_no_keeper() {
        let unnamed = deployment(None, OPERATOR_FIELD_MANAGER);
        for manager in [HANDOVER_FIELD_MANAGER, "kube-controller-manager"] {
            assert_eq!(before(&unnamed, &deployment(Some(5), manager)), None);
        }
    }
}

//! Names, labels and ownership that all children share.

use std::collections::BTreeMap;

use docket_crds::labels as keys;
use docket_crds::names::component_name;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::validated_tenant::ValidatedTenant;

/// Labels that select the pods of a component; a Deployment's selector can never change, so these can't.
pub(super) fn selector(wanted: &ValidatedTenant, component: &str) -> BTreeMap<String, String> {
    [
        (keys::NAME, keys::DOCKET_API),
        (keys::COMPONENT, component),
        (keys::TENANT, wanted.name.as_str()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

fn labels(wanted: &ValidatedTenant) -> BTreeMap<String, String> {
    [
        (keys::NAME, keys::DOCKET_API),
        (keys::TENANT, wanted.name.as_str()),
        (keys::INSTANCE, wanted.name.as_str()),
        (keys::MANAGED_BY, keys::DOCKET),
        (keys::PART_OF, keys::DOCKET),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// Labels of a component's pods, and of what is about these alone.
pub(super) fn component_labels(
    wanted: &ValidatedTenant,
    component: &str,
) -> BTreeMap<String, String> {
    let mut labels = labels(wanted);
    labels.extend(selector(wanted, component));
    labels
}

/// `metadata` with the labels by which a Prometheus chooses what concerns it.
pub(super) fn for_prometheus(wanted: &ValidatedTenant, mut metadata: ObjectMeta) -> ObjectMeta {
    let ours = metadata.labels.get_or_insert_default();
    for (key, value) in &wanted.monitoring.labels {
        ours.entry(key.clone()).or_insert_with(|| value.clone());
    }
    metadata
}

/// Of what is about a component's pods alone.
pub(super) fn component_metadata(wanted: &ValidatedTenant, component: &str) -> ObjectMeta {
    ObjectMeta {
        labels: Some(component_labels(wanted, component)),
        ..metadata(wanted, component_name(&wanted.name, component))
    }
}

pub(super) fn metadata(wanted: &ValidatedTenant, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(wanted.namespace.clone()),
        labels: Some(labels(wanted)),
        owner_references: Some(vec![wanted.owner.clone()]),
        ..ObjectMeta::default()
    }
}

//! Names, labels and ownership that all children share.

use std::collections::BTreeMap;

use docket_crds::labels as keys;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::validated_tenant::ValidatedTenant;

/// Labels that select the tenant's pods; a Deployment's selector can never change, so these can't.
pub(super) fn selector(wanted: &ValidatedTenant) -> BTreeMap<String, String> {
    [
        (keys::NAME, keys::DOCUMENT_API),
        (keys::TENANT, wanted.name.as_str()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

pub(super) fn labels(wanted: &ValidatedTenant) -> BTreeMap<String, String> {
    let mut labels = selector(wanted);
    labels.extend(
        [
            (keys::INSTANCE, wanted.name.as_str()),
            (keys::MANAGED_BY, keys::DOCKET),
            (keys::PART_OF, keys::DOCKET),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    labels
}

/// The same with the labels by which a Prometheus chooses what concerns it.
pub(super) fn monitoring_metadata(wanted: &ValidatedTenant, name: String) -> ObjectMeta {
    let mut metadata = metadata(wanted, name);
    let ours = metadata.labels.get_or_insert_default();
    for (key, value) in &wanted.monitoring.labels {
        ours.entry(key.clone()).or_insert_with(|| value.clone());
    }
    metadata
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

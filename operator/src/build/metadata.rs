//! Names, labels and ownership that all children share.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::wanted::Wanted;

/// Value of the label `app.kubernetes.io/managed-by` on every child.
pub const MANAGED_BY: &str = "docket";

/// Label that names the tenant on its children and pods.
pub const TENANT_LABEL: &str = "docket.dev/tenant";

pub(super) fn api_name(tenant: &str) -> String {
    format!("{tenant}-api")
}

/// Labels that select the tenant's pods; a Deployment's selector can never change, so these can't.
pub(super) fn selector(wanted: &Wanted) -> BTreeMap<String, String> {
    [
        ("app.kubernetes.io/name", "document-api"),
        (TENANT_LABEL, wanted.name.as_str()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

pub(super) fn labels(wanted: &Wanted) -> BTreeMap<String, String> {
    let mut labels = selector(wanted);
    labels.extend(
        [
            ("app.kubernetes.io/instance", wanted.name.as_str()),
            ("app.kubernetes.io/managed-by", MANAGED_BY),
            ("app.kubernetes.io/part-of", "docket"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    labels
}

/// The same with the labels by which a Prometheus chooses what concerns it.
pub(super) fn monitoring_metadata(wanted: &Wanted, name: String) -> ObjectMeta {
    let mut metadata = metadata(wanted, name);
    let ours = metadata.labels.get_or_insert_default();
    for (key, value) in &wanted.monitoring.labels {
        ours.entry(key.clone()).or_insert_with(|| value.clone());
    }
    metadata
}

pub(super) fn metadata(wanted: &Wanted, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(wanted.namespace.clone()),
        labels: Some(labels(wanted)),
        owner_references: Some(vec![wanted.owner.clone()]),
        ..ObjectMeta::default()
    }
}

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

pub(super) fn metadata(wanted: &Wanted, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(wanted.namespace.clone()),
        labels: Some(labels(wanted)),
        owner_references: Some(vec![wanted.owner.clone()]),
        ..ObjectMeta::default()
    }
}

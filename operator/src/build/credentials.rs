//! The Secret that keeps the logins to the database, read by the operator only: for each client its
//! password, and its role where that is not the first one.

use docket_crds::names::{credentials_secret, role_entry};
use k8s_openapi::api::core::v1::Secret;

use super::client_secret::{self, Entry};
use crate::validated_tenant::{ValidatedClient, ValidatedTenant};

pub(super) fn build(wanted: &ValidatedTenant) -> Secret {
    let name = credentials_secret(&wanted.name);
    client_secret::build(wanted, name, wanted.rotated.as_ref(), entries)
}

fn entries(client: &ValidatedClient) -> Vec<Entry> {
    let identity = &client.identity;
    let [first, _] = identity.roles();
    let role = (identity.role != first).then(|| identity.role.clone().into());
    vec![
        (client.name.clone(), Some(client.password.clone())),
        (role_entry(&client.name), role),
    ]
}

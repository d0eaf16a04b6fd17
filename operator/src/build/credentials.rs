//! The Secret that keeps the database passwords: one entry a client, read by the operator only.

use k8s_openapi::api::core::v1::Secret;

use super::client_secret;
use crate::wanted::Wanted;

pub(super) fn name(tenant: &str) -> String {
    format!("{tenant}-credentials")
}

pub(super) fn build(wanted: &Wanted) -> Secret {
    client_secret::build(wanted, name(&wanted.name), |client| Some(&client.password))
}

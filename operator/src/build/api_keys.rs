//! The Secret that hands API keys to the clients' applications: one entry a client. Further entries
//! are the users', and server-side apply leaves them alone.

use k8s_openapi::api::core::v1::Secret;

use super::client_secret;
use crate::wanted::Wanted;

pub(super) fn name(tenant: &str) -> String {
    format!("{tenant}-api-keys")
}

pub(super) fn build(wanted: &Wanted) -> Secret {
    client_secret::build(wanted, name(&wanted.name), |client| {
        client.keys.issued.as_ref()
    })
}

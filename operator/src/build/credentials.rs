//! The Secret that keeps the database passwords: one entry a client, read by the operator only.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use secrecy::ExposeSecret;

use super::metadata::metadata;
use crate::wanted::Wanted;

pub(super) fn name(tenant: &str) -> String {
    format!("{tenant}-credentials")
}

pub(super) fn build(wanted: &Wanted) -> Secret {
    let entries = wanted.clients.iter().map(|client| {
        (
            client.name.clone(),
            ByteString(client.password.expose_secret().as_bytes().to_vec()),
        )
    });
    Secret {
        metadata: metadata(wanted, name(&wanted.name)),
        type_: Some("Opaque".into()),
        data: Some(entries.collect()),
        ..Secret::default()
    }
}

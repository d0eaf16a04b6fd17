//! A Secret with one entry a client, less those that have no value.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use secrecy::{ExposeSecret, SecretString};

use super::metadata::metadata;
use crate::wanted::{Wanted, WantedClient};

pub(super) fn build(
    wanted: &Wanted,
    name: String,
    value: fn(&WantedClient) -> Option<&SecretString>,
) -> Secret {
    let entry = |client: &WantedClient| {
        let bytes = value(client)?.expose_secret().as_bytes().to_vec();
        Some((client.name.clone(), ByteString(bytes)))
    };
    Secret {
        metadata: metadata(wanted, name),
        type_: Some("Opaque".into()),
        data: Some(wanted.clients.iter().filter_map(entry).collect()),
        ..Secret::default()
    }
}

//! A Secret with entries of clients, less those that have no value, and when it was last rotated.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use secrecy::{ExposeSecret, SecretString};

use super::metadata::metadata;
use crate::credentials::rotation::Rotated;
use crate::validated_tenant::{ValidatedClient, ValidatedTenant};

/// Name and value of an entry.
pub(super) type Entry = (String, Option<SecretString>);

pub(super) fn build(
    wanted: &ValidatedTenant,
    name: String,
    rotated: Option<&Rotated>,
    entries: fn(&ValidatedClient) -> Vec<Entry>,
) -> Secret {
    let filled = |(name, value): Entry| {
        let bytes = value?.expose_secret().as_bytes().to_vec();
        Some((name, ByteString(bytes)))
    };
    let mut metadata = metadata(wanted, name);
    metadata.annotations = rotated.map(Rotated::annotations);
    Secret {
        metadata,
        type_: Some("Opaque".into()),
        data: Some(
            wanted
                .clients
                .iter()
                .flat_map(entries)
                .filter_map(filled)
                .collect(),
        ),
        ..Secret::default()
    }
}

//! The Secret that keeps the keys with which a tenant signs tokens, read by the operator only: the one that
//! signs, the one that will, and the public half of the one that did.

use docket_crds::names::{CURRENT, PREVIOUS, UPCOMING, signing_keys_secret};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use secrecy::ExposeSecret as _;

use super::metadata::metadata;
use crate::credentials::ed25519::PrivateKey;
use crate::credentials::rotation::Rotated;
use crate::validated_tenant::{ValidatedIssuer, ValidatedTenant};

pub(super) fn build(wanted: &ValidatedTenant, issuer: &ValidatedIssuer) -> Secret {
    let keys = &issuer.keys;
    let pem = |key: &PrivateKey| key.pem.expose_secret().to_owned();
    let entries = [
        (CURRENT, Some(pem(&keys.current))),
        (UPCOMING, keys.upcoming.as_ref().map(pem)),
        (PREVIOUS, keys.previous.map(|key| key.x())),
    ];
    let filled = |(name, value): (&str, Option<String>)| {
        Some((name.to_owned(), ByteString(value?.into_bytes())))
    };
    let mut metadata = metadata(wanted, signing_keys_secret(&wanted.name));
    metadata.annotations = issuer.rotated.as_ref().map(Rotated::annotations);
    Secret {
        metadata,
        type_: Some("Opaque".into()),
        data: Some(entries.into_iter().filter_map(filled).collect()),
        ..Secret::default()
    }
}

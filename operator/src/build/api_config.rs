//! The Secret that configures the pods: one file for the API servers, [`docket_contract::TenantConfig`],
//! beside it what changes without a restart, the number of pods, what clients may do and the keys of its
//! issuer, and what only the collectors may see.

use docket_crds::names::api_name;
use std::num::NonZeroU32;

use docket_contract::{
    ApiKeyHash, CONFIG_FILE, ClientConfig, ClientLimits, LIMITS_FILE, PublishableKey,
    REPLICAS_FILE, RateLimit, SIGNING_KEYS_FILE, TenantConfig, hash_api_key,
};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::collector_secrets;
use super::metadata::metadata;
use crate::validated_tenant::{ValidatedClient, ValidatedTenant};

pub(super) fn build(wanted: &ValidatedTenant) -> Secret {
    let config = config(wanted);
    let issuer = wanted.issuer.as_ref();
    let entries = [
        (CONFIG_FILE, Some(json(&config))),
        (LIMITS_FILE, Some(json(&config.limits()))),
        (
            REPLICAS_FILE,
            Some(wanted.replicas.to_string().into_bytes()),
        ),
        (
            SIGNING_KEYS_FILE,
            issuer.map(|issuer| json(&issuer.keys.published())),
        ),
        (
            collector_secrets::FILE,
            collector_secrets::file(&wanted.telemetry),
        ),
    ];
    Secret {
        metadata: metadata(wanted, api_name(&wanted.name)),
        type_: Some("Opaque".into()),
        data: Some(
            entries
                .into_iter()
                .filter_map(|(name, file)| Some((name.to_owned(), ByteString(file?))))
                .collect(),
        ),
        ..Secret::default()
    }
}

/// What a pod reads once, at its start. What it follows is as if nobody had asked for anything, so
/// that this is the same before and after a change of it.
pub(super) fn read_at_start(wanted: &ValidatedTenant) -> Vec<u8> {
    let mut config = config(wanted);
    config.rate_limit = Some(RateLimit {
        requests_per_second: NonZeroU32::MIN.saturating_add(999),
        burst: NonZeroU32::MIN.saturating_add(1999),
    });
    for client in &mut config.clients {
        client.limits = ClientLimits::default();
    }
    json(&config)
}

fn json(file: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(file).expect("strings and numbers serialize")
}

/// Servers from before [`LIMITS_FILE`] find the limits here.
fn config(wanted: &ValidatedTenant) -> TenantConfig {
    TenantConfig {
        tenant: wanted.name.clone(),
        namespace: wanted.namespace.clone(),
        uid: wanted.uid.clone(),
        take_over_content: wanted.take_over_content.clone(),
        sweep_up_to: wanted.sweep_up_to,
        database: wanted.database.clone(),
        auth: wanted.auth.clone(),
        rate_limit: Some(wanted.rate_limit),
        tls: wanted.tls.clone(),
        workloads: wanted.workloads.config(),
        clients: wanted
            .clients
            .iter()
            .map(|client| ClientConfig {
                name: client.name.clone(),
                schema: client.identity.schema.clone(),
                role: client.identity.role.clone(),
                password: client.password.clone(),
                api_key_hashes: hashes(client),
                publishable_keys: publishable_keys(client),
                limits: client.limits,
            })
            .collect(),
    }
}

/// Sorted: which of the keys is handed out makes no difference to a pod.
fn hashes(client: &ValidatedClient) -> Vec<ApiKeyHash> {
    let keys = client.keys.secret();
    let mut hashes: Vec<_> = keys.map(|key| hash_api_key(key.expose_secret())).collect();
    hashes.sort_by(|a, b| a.0.cmp(&b.0));
    hashes.dedup();
    hashes
}

/// Sorted for the same reason.
fn publishable_keys(client: &ValidatedClient) -> Vec<PublishableKey> {
    let published = client.keys.publishable.iter().flat_map(|published| {
        let publication = &published.publication;
        published.key.all().map(|key| PublishableKey {
            hash: hash_api_key(key.expose_secret()),
            scope: publication.scope.to_owned(),
            origins: publication.origins.clone(),
        })
    });
    let mut published: Vec<PublishableKey> = published.collect();
    published.sort_by(|a, b| a.hash.0.cmp(&b.hash.0));
    published.dedup();
    published
}

//! The Secret that configures the pods: one file for the API servers, [`docket_contract::TenantConfig`],
//! beside it the number of pods, which changes without a restart, and what only the collectors may see.

use docket_contract::{
    ApiKeyHash, CONFIG_FILE, ClientConfig, REPLICAS_FILE, Storage, TenantConfig, hash_api_key,
};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use secrecy::ExposeSecret;

use super::collector_secrets;
use super::metadata::{api_name, metadata};
use crate::wanted::{Wanted, WantedClient};

pub(super) fn build(wanted: &Wanted) -> Secret {
    let config = TenantConfig {
        tenant: wanted.name.clone(),
        namespace: wanted.namespace.clone(),
        database: wanted.database.clone(),
        storage: Storage::S3(wanted.storage.clone()),
        auth: wanted.auth.clone(),
        rate_limit: Some(wanted.rate_limit),
        uploads: wanted.uploads.clone(),
        tls: wanted.tls.clone(),
        summarizer: wanted.summarizer.clone(),
        clients: wanted
            .clients
            .iter()
            .map(|client| ClientConfig {
                name: client.name.clone(),
                schema: client.identity.schema.clone(),
                role: client.identity.role.clone(),
                password: client.password.clone(),
                api_key_hashes: hashes(client),
                quota: client.quota,
                retention_days: client.retention_days,
            })
            .collect(),
    };
    let file = serde_json::to_vec(&config).expect("strings and numbers serialize");
    let replicas = wanted.replicas.to_string();
    let collector = collector_secrets::file(&wanted.telemetry);
    let entries = [
        (CONFIG_FILE, Some(file)),
        (REPLICAS_FILE, Some(replicas.into_bytes())),
        (collector_secrets::FILE, collector),
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

/// Sorted: which of the keys is handed out makes no difference to a pod.
fn hashes(client: &WantedClient) -> Vec<ApiKeyHash> {
    let keys = client.keys.all();
    let mut hashes: Vec<_> = keys.map(|key| hash_api_key(key.expose_secret())).collect();
    hashes.sort_by(|a, b| a.0.cmp(&b.0));
    hashes.dedup();
    hashes
}

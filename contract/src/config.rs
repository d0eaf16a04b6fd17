//! The configuration of one tenant's API server.

use std::num::NonZeroU32;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::{ApiKeyHash, ClientLimits};

/// All that an API server needs to know of its tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TenantConfig {
    /// Name of the `DocumentTenant`.
    pub tenant: String,
    /// Namespace of the `DocumentTenant`.
    pub namespace: String,
    /// Its `metadata.uid`; empty where there is no such object.
    #[serde(default)]
    pub uid: String,
    /// The owners, as [`ContentOwner`](crate::ContentOwner) names them, whose content it takes over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub take_over_content: Vec<String>,
    /// Contents of a client that a sweep may remove although they are unusually many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep_up_to: Option<u64>,
    /// Where the clients' schemas are.
    pub database: Database,
    /// How a caller proves which client it is.
    pub auth: ApiAuth,
    /// How often each client may call, over all pods together; as often as it likes when there is
    /// none. The number of pods is in the file [`crate::REPLICAS_FILE`]. What [`crate::LIMITS_FILE`]
    /// says goes before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// What both listeners are served with; plain HTTP when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// What is served to the clients: what is not named here, is not.
    #[serde(default)]
    pub workloads: Workloads,
    /// The clients, sorted by name.
    pub clients: Vec<ClientConfig>,
}

/// What a tenant runs for its clients.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Workloads {
    /// Files with metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<DocumentsConfig>,
    /// Views of pages and documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_views: Option<PageViewsConfig>,
}

/// What page views need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageViewsConfig {
    /// Whose pages tell of views, serialized as RFC 6454, 6.2 has it.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Days that a view is kept as it is; counts of days are kept for longer.
    #[serde(default = "default_view_retention_days")]
    pub retention_days: u32,
    /// Whether who reads a document's content is counted too.
    #[serde(default)]
    pub documents: bool,
}

const fn default_view_retention_days() -> u32 {
    90
}

/// What documents need.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DocumentsConfig {
    /// Where their content is.
    pub storage: Storage,
    /// What may be uploaded.
    #[serde(default)]
    pub uploads: Uploads,
    /// Who makes their summaries.
    #[serde(default, skip_serializing_if = "Summarizer::is_extractive")]
    pub summarizer: Summarizer,
}

/// A Postgres database; the credentials are those of each client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Name of the database.
    pub dbname: String,
    /// How the connection is protected.
    pub ssl_mode: SslMode,
}

/// libpq's `sslmode`, as far as it is safe or useful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS where the server offers it.
    #[default]
    Prefer,
    /// TLS, the server's certificate unchecked.
    Require,
    /// TLS, the certificate's issuer checked.
    VerifyCa,
    /// TLS, the certificate's issuer and host name checked.
    VerifyFull,
}

/// Where the content of documents is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Storage {
    /// An S3 bucket; the credentials come from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    S3(S3Storage),
    /// A folder, for a server that runs on a developer's machine.
    Folder(FolderStorage),
}

/// A bucket of an S3-compatible server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct S3Storage {
    /// Name of the bucket.
    pub bucket: String,
    /// URL of the server, `http://` or `https://`.
    pub endpoint: String,
    /// Region to sign for.
    pub region: String,
}

/// A folder of the local file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FolderStorage {
    /// Path of the folder; it is created when missing.
    pub path: String,
}

/// How callers are authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiAuth {
    /// The mode.
    pub mode: AuthMode,
    /// Whose tokens are accepted; there is one with [`AuthMode::Jwt`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Jwt>,
    /// The tenant as an issuer of its own, whose tokens are accepted too, in any mode but
    /// [`AuthMode::None`]. Its keys are in the file [`crate::SIGNING_KEYS_FILE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<OwnIssuer>,
}

/// The tenant as an issuer of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnIssuer {
    /// What the claims `iss` and `aud` are, without a path or a `/` at the end: where callers reach the API.
    pub url: String,
    /// Seconds that a token is good for at most.
    pub token_lifetime_seconds: NonZeroU32,
}

/// Whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Jwt {
    /// What the claim `iss` must be.
    pub issuer: String,
    /// What the claim `aud` must be or have.
    pub audience: String,
    /// Where the issuer publishes its keys; what its discovery document says when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// The claim that names the client or the clients.
    pub client_claim: String,
    /// Authorities of the issuer's certificate, as PEM; the system's when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// The ways in which a caller can prove which client it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum AuthMode {
    /// A key per client, in the header [`crate::API_KEY_HEADER`].
    ApiKey,
    /// A token of the issuer that [`Jwt`] names, as `Authorization: Bearer` (RFC 6750).
    Jwt,
    /// No proof is asked for.
    None,
}

/// How often a client may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Requests a second that it may keep up.
    pub requests_per_second: NonZeroU32,
    /// Requests that it may send at once after a pause.
    pub burst: NonZeroU32,
}

/// What may be uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Uploads {
    /// Size of the largest file; the API server's own setting when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Media types such as `application/pdf` and `image/*`, in lower case; all when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_types: Vec<String>,
}

/// A certificate and its private key, both as PEM.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// The certificate, and what leads from it to its authority.
    pub certificate: String,
    /// The private key.
    #[serde(serialize_with = "expose")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub key: SecretString,
}

/// Who makes the summaries of documents: `{"mode": "Extractive"}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "mode", content = "openai")]
pub enum Summarizer {
    /// The server itself, of the text's own sentences.
    #[default]
    Extractive,
    /// A language model behind an endpoint that speaks as OpenAI's does.
    OpenAI(OpenAi),
    /// Nobody: documents have no summaries.
    None,
}

impl Summarizer {
    /// What a server does that knows nothing of this choice.
    const fn is_extractive(&self) -> bool {
        matches!(self, Self::Extractive)
    }
}

/// An endpoint that speaks as OpenAI's chat completions do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OpenAi {
    /// URL to which `/chat/completions` is added.
    pub url: String,
    /// Name of the model.
    pub model: String,
    /// What is sent as the bearer token.
    #[serde(serialize_with = "expose")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub api_key: SecretString,
    /// Longest wait for an answer, in milliseconds.
    pub timeout_ms: u64,
}

/// One client: its identity in Postgres and the keys that open its routes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClientConfig {
    /// Name of the client, the `{client}` of its routes.
    pub name: String,
    /// Its Postgres schema; also the prefix of its objects in the bucket.
    pub schema: String,
    /// Its Postgres login role.
    pub role: String,
    /// Password of the role.
    #[serde(serialize_with = "expose")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub password: SecretString,
    /// Hashes of the API keys that are valid now.
    pub api_key_hashes: Vec<ApiKeyHash>,
    /// Keys that are valid now and that everybody may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publishable_keys: Vec<PublishableKey>,
    /// What it may do, unless [`crate::LIMITS_FILE`] says otherwise.
    #[serde(default)]
    pub limits: ClientLimits,
}

/// A key that pages show to everybody who reads them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PublishableKey {
    /// Of the key, which begins with [`crate::PUBLISHABLE_PREFIX`].
    pub hash: ApiKeyHash,
    /// The one scope that it has.
    pub scope: String,
    /// Whose pages may use it: serialized as RFC 6454, 6.2 has it, such as `https://www.example.com`.
    pub origins: Vec<String>,
}

pub(crate) fn expose<S: Serializer>(
    secret: &SecretString,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DocumentLimits, Quota, hash_api_key};

    fn acme() -> TenantConfig {
        TenantConfig {
            tenant: "acme".into(),
            namespace: "acme".into(),
            uid: "u".into(),
            take_over_content: Vec::new(),
            sweep_up_to: None,
            database: Database {
                host: "postgres.docket-dev".into(),
                port: 5432,
                dbname: "docket".into(),
                ssl_mode: SslMode::VerifyFull,
            },
            auth: ApiAuth {
                mode: AuthMode::Jwt,
                jwt: Some(Jwt {
                    issuer: "https://login.example.com".into(),
                    audience: "docket".into(),
                    jwks_url: None,
                    client_claim: "client_id".into(),
                    ca: None,
                }),
                issuer: Some(OwnIssuer {
                    url: "https://documents.example.com".into(),
                    token_lifetime_seconds: NonZeroU32::MIN,
                }),
            },
            rate_limit: Some(RateLimit {
                requests_per_second: NonZeroU32::MIN,
                burst: NonZeroU32::MIN,
            }),
            tls: Some(Tls {
                certificate: "-----BEGIN CERTIFICATE-----".into(),
                key: "battery staple".into(),
            }),
            workloads: Workloads {
                documents: Some(DocumentsConfig {
                    storage: Storage::S3(S3Storage {
                        bucket: "acme".into(),
                        endpoint: "http://s3.docket-dev:7070".into(),
                        region: "us-east-1".into(),
                    }),
                    uploads: Uploads {
                        max_bytes: Some(1024),
                        accepted_types: vec!["image/*".into()],
                    },
                    summarizer: Summarizer::OpenAI(OpenAi {
                        url: "https://api.example.com/v1".into(),
                        model: "small".into(),
                        api_key: "open sesame".into(),
                        timeout_ms: 30_000,
                    }),
                }),
                page_views: Some(PageViewsConfig {
                    origins: vec!["https://www.globex.example".into()],
                    retention_days: 90,
                    documents: true,
                }),
            },
            clients: vec![ClientConfig {
                name: "globex".into(),
                schema: "acme_globex_1f2e3d4c".into(),
                role: "acme_globex_1f2e3d4c".into(),
                password: "correct horse".into(),
                api_key_hashes: vec![hash_api_key("key")],
                publishable_keys: vec![PublishableKey {
                    hash: hash_api_key("pk_key"),
                    scope: "orders:read".into(),
                    origins: vec!["https://www.globex.example".into()],
                }],
                limits: ClientLimits {
                    documents: DocumentLimits {
                        quota: Quota {
                            documents: Some(100_000),
                            bytes: None,
                        },
                        retention_days: 30,
                    },
                },
            }],
        }
    }

    #[test]
    fn the_file_has_the_shape_that_the_api_server_documents() {
        insta::assert_json_snapshot!(acme());
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let text = serde_json::to_string(&acme()).expect("serializes");
        let read: TenantConfig = serde_json::from_str(&text).expect("parses");
        assert_eq!(serde_json::to_string(&read).expect("serializes"), text);
    }

    #[test]
    fn no_secret_shows_in_debug_output() {
        let shown = format!("{:?}", acme());
        for secret in ["correct horse", "battery staple", "open sesame"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn a_file_from_before_limits_tls_and_workloads_still_loads() {
        let mut file = serde_json::to_value(acme()).expect("serializes");
        let fields = file.as_object_mut().expect("an object");
        fields.retain(|name, _| !["rateLimit", "workloads", "tls"].contains(&name.as_str()));
        fields.insert("auth".into(), serde_json::json!({"mode": "ApiKey"}));
        let read: TenantConfig = serde_json::from_value(file).expect("parses");
        assert!(read.rate_limit.is_none() && read.tls.is_none());
        assert!(read.workloads.documents.is_none());
    }

    #[test]
    fn a_workload_that_is_there_needs_to_say_what_has_no_default_and_nothing_else() {
        let read = |documents| -> serde_json::Result<Workloads> {
            serde_json::from_value(serde_json::json!({"documents": documents}))
        };
        assert!(read(serde_json::json!({})).is_err());
        let least = read(serde_json::json!({"storage": {"folder": {"path": "content"}}}));
        let documents = least.expect("parses").documents.expect("it is there");
        assert_eq!(documents.uploads, Uploads::default());
        assert!(documents.summarizer.is_extractive());
    }
}

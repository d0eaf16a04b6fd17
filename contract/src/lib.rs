//! What the operator writes for a tenant and its API server reads: one JSON file, mounted from a Secret.
//!
//! Both sides use these types, so that neither can drift from the other.

mod api_key;
mod config;
mod limits;

pub use api_key::{ApiKeyHash, hash_api_key};
pub use config::{
    ApiAuth, AuthMode, ClientConfig, Database, FolderStorage, Jwt, OpenAi, Quota, RateLimit,
    S3Storage, SslMode, Storage, Summarizer, TenantConfig, Tls, Uploads,
};
pub use limits::{ClientLimits, TenantLimits};

/// Key of the Secret entry, and name of the mounted file, that holds a [`TenantConfig`].
pub const CONFIG_FILE: &str = "tenant.json";

/// Key of the entry beside it, and name of the file, that holds the number of pods in digits: it
/// changes without a restart, and one that cannot be read counts as 1.
pub const REPLICAS_FILE: &str = "replicas";

/// Key of the entry beside these, and name of the file, that holds [`TenantLimits`]: it changes without
/// a restart, and goes before what [`CONFIG_FILE`] says of the same.
pub const LIMITS_FILE: &str = "limits.json";

/// Request header that carries a client's API key.
pub const API_KEY_HEADER: &str = "x-api-key";

/// Port of the public document API.
pub const DOCUMENT_API_PORT: u16 = 8000;

/// Port of the data store, for callers inside the tenant's namespace.
pub const DATA_STORE_PORT: u16 = 8001;

//! What the operator writes for a tenant and its API server reads: a JSON file and a few that change
//! beside it, mounted from a Secret. And what both read and write elsewhere: whose content is in a bucket
//! ([`ContentOwner`]), and why a server does not delete something ([`Refusal`]).
//!
//! Both sides use these types, so that neither can drift from the other.
//!
//! # Operators and servers of different releases
//! An operator is updated before the pods that it rolls, and a pod may restart meanwhile with the
//! image of before: each file is read by the release before and by the one after. So for all files:
//!
//! - A reader ignores the members of objects that it does not know, at every depth.
//! - What is missing takes its default, or is an error that names it. A pod does not start on a
//!   [`CONFIG_FILE`] that it cannot read; of [`LIMITS_FILE`] and [`SIGNING_KEYS_FILE`] it
//!   keeps what it read last.
//! - A known member never changes its meaning, its type or its unit: what shall mean something else
//!   gets a name of its own.
//! - To add a member: it has a default that means what servers of before do. What must not be ignored
//!   goes over two releases: servers read it in the first, operators write it from the second on. So
//!   does a new value of an enum, which a server of before cannot read.
//! - To remove a member: in the first release servers have a default for it and do without, in the
//!   second operators no longer write it.

mod api_key;
mod config;
mod content_owner;
mod limits;
#[cfg(test)]
mod other_releases;
mod refusal;
mod service_name;
mod signing_keys;

pub use api_key::{ApiKeyHash, hash_api_key};
pub use config::{
    ApiAuth, AuthMode, ClientConfig, Database, DocumentsConfig, FolderStorage, Jwt, OpenAi,
    OwnIssuer, PageViewsConfig, PublishableKey, RateLimit, S3Storage, SslMode, Storage, Summarizer,
    TenantConfig, Tls, Uploads, Workloads,
};
pub use content_owner::{ContentOwner, NOBODY, OWNER_OBJECT, Ownership};
pub use limits::{ClientLimits, DocumentLimits, Quota, TenantLimits};
pub use refusal::Refusal;
pub use service_name::{DOCKET_API, DOCUMENT_API, service_name};
pub use signing_keys::{PublishedKey, SigningKey, SigningKeys};

/// Key of the Secret entry, and name of the mounted file, that holds a [`TenantConfig`].
pub const CONFIG_FILE: &str = "tenant.json";

/// Key of the entry beside it, and name of the file, that holds the number of pods in digits: it
/// changes without a restart, and one that cannot be read counts as 1.
pub const REPLICAS_FILE: &str = "replicas";

/// Key of the entry beside these, and name of the file, that holds [`TenantLimits`]: it changes without
/// a restart, and goes before what [`CONFIG_FILE`] says of the same.
pub const LIMITS_FILE: &str = "limits.json";

/// Key of the entry beside these, and name of the file, that holds [`SigningKeys`], where the tenant issues
/// tokens: it changes without a restart.
pub const SIGNING_KEYS_FILE: &str = "signing-keys.json";

/// Request header that carries a client's API key.
pub const API_KEY_HEADER: &str = "x-api-key";

/// What a publishable key begins with, and no other key does.
pub const PUBLISHABLE_PREFIX: &str = "pk_";

/// Query parameter that carries a publishable key where no header can be sent along.
pub const PUBLISHABLE_KEY_PARAMETER: &str = "key";

/// Request header that names the client where the path does not, and the credential opens several.
pub const CLIENT_HEADER: &str = "x-client";

/// Port of the API, for everybody who is let in.
pub const API_PORT: u16 = 8000;

/// Port of the data store, for callers inside the tenant's namespace.
pub const DATA_STORE_PORT: u16 = 8001;

/// Connections to Postgres that one client may read with at once, in each server.
pub const READS_PER_CLIENT: u32 = 4;

/// Connections to Postgres that one client may change something with at once, in each server.
pub const COMMITS_PER_CLIENT: u32 = 16;

/// Connections to Postgres that each server opens as one client's role at once.
pub const CONNECTIONS_PER_CLIENT: u32 = READS_PER_CLIENT + COMMITS_PER_CLIENT;
/// Port of probes and metrics, which no caller's load fills.
pub const OPERATIONS_PORT: u16 = 8002;

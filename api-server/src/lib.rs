//! The document API and the data store of one tenant.
//!
//! A request passes the layers of [`middleware`], is proved to come from a client of the
//! [`Tenant`], and reaches the routes of a workload, of which `documents` is the first.

mod app;
mod audit;
mod byte_range;
mod conditional;
mod connections;
mod content_store;
mod data_store;
mod database;
mod digest;
mod docs;
mod documents;
mod error;
mod follow;
mod health;
mod idempotency;
pub mod maintenance;
mod memory;
mod middleware;
mod openapi;
mod paging;
mod problem;
pub mod server;
mod settings;
mod tenant;
mod text;
mod tls;
mod tokens;
mod usage;
mod workloads;

pub use app::{App, data_store_router, public_router};
pub use idempotency::expire_idempotency_keys;
pub use settings::Settings;
pub use tenant::{Client, Tenant};
pub use text::{SUBCOMMAND, extract_text, read_texts};
pub use usage::recount_usage;

/// `service.name` of the telemetry, and `service` in the answer of `/health`.
pub const SERVICE: &str = "document-api";

/// Version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Names ring as the process's one implementation of TLS and of signatures; harmless to call again.
pub fn install_crypto() {
    // Only the first call can win, and all calls ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let _ = tokens::RING.install_default();
}

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
pub mod database;
mod digest;
mod docs;
pub mod documents;
mod error;
mod health;
pub mod idempotency;
mod json;
pub mod maintenance;
mod memory;
mod middleware;
mod openapi;
mod paging;
pub mod platform;
mod problem;
mod reload;
pub mod server;
mod settings;
pub mod tenant;
mod timestamp;
mod tls;
mod tokens;
pub mod usage;
mod workload;
mod workloads;

pub use app::{App, data_store_router, public_router};
pub use settings::Settings;
pub use tenant::{Client, Tenant};

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

//! What every workload of a tenant stands on. It knows none of them.
//!
//! A request passes the layers of [`middleware`], is proved to come from a client of the
//! [`Tenant`](tenant::Tenant), and reaches the routes of a [`Workload`](workload::Workload), which has
//! what it needs from the [`Platform`].

pub mod audit;
pub mod byte_range;
pub mod client_routes;
pub mod conditional;
pub mod connections;
pub mod content_owners;
pub mod content_reads;
pub mod content_store;
pub mod database;
pub mod digest;
pub mod error;
pub mod health;
pub mod idempotency;
pub mod issuer;
pub mod json;
pub mod maintenance;
mod memory;
mod memory_budget;
pub mod middleware;
pub mod openapi;
pub mod paging;
pub mod peer;
mod platform;
pub mod problem;
pub mod tenant;
pub mod timestamp;
pub mod tls;
pub mod tokens;
pub mod usage;
pub mod workload;

pub use memory_budget::MemoryBudget;
pub use platform::{Platform, PlatformSettings, ServiceInfo, share};

/// Names ring as the process's one implementation of TLS and of signatures; harmless to call again.
pub fn install_crypto() {
    // Only the first call can win, and all calls ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let _ = tokens::RING.install_default();
}

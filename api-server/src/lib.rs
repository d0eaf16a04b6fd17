//! The server of one tenant: its workloads put together on the platform, and the two routers.
//!
//! [`App`] is what is put together, [`server`] runs it; `workloads.rs` is the list of workloads.

mod app;
mod docs;
mod open_files;
mod reload;
pub mod server;
mod settings;
mod signing_keys;
mod workloads;

use docket_platform::tenant::Tenant;

pub use app::{App, data_store_router, operations_router, public_router};
pub use settings::Settings;

/// `service.name` of the telemetry, and `service` in the answer of `/health`.
#[must_use]
pub fn service_name(tenant: &Tenant) -> &'static str {
    docket_contract::service_name(workloads::names(tenant))
}

/// Version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

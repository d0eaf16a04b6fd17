//! Who changed what, when: an entry in the transaction of the change itself, for every workload.

mod append;
mod filter;
mod list;
mod origin;
mod read;
mod record;

use std::sync::Arc;

use utoipa_axum::routes;

pub use append::{Entry, TABLE, append};
pub use origin::Origin;
pub(crate) use record::record;

use crate::client_routes::ClientRoutes;
use crate::middleware::scope::{Scope, on_any};
use crate::platform::Platform;
use crate::workload::Workload;

/// To see who changed what, whatever runs.
const READ: Scope = Scope("audit:read");

/// `GET /clients/{client}/audit`, for callers that watch over one of `workloads`.
pub fn routes(platform: &Platform, workloads: &[Arc<dyn Workload>]) -> ClientRoutes {
    let of_workloads = workloads.iter().map(|workload| workload.scopes().admin);
    let scopes: Vec<Scope> = of_workloads.chain([READ]).collect();
    ClientRoutes::new()
        .routes(on_any(&scopes, &platform.access, routes!(list::list_audit)))
        .with_state(platform.database.clone())
}

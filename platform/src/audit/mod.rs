//! Who changed what, when: an entry in the transaction of the change itself, for every workload.

mod append;
mod filter;
mod list;
mod origin;
mod read;

use utoipa_axum::routes;

pub use append::{Entry, TABLE, append};
pub use origin::Origin;

use crate::client_routes::ClientRoutes;
use crate::middleware::scope::{Scope, on_any};
use crate::platform::Platform;

/// `GET /clients/{client}/audit`, for callers that have one of `scopes`.
pub fn routes(platform: &Platform, scopes: &[Scope]) -> ClientRoutes {
    ClientRoutes::new()
        .routes(on_any(scopes, &platform.access, routes!(list::list_audit)))
        .with_state(platform.database.clone())
}

//! How much a client stores, counted in the transaction that stores it, against its quota.

mod charge;
mod exceeded;
mod read;
mod recount;
mod show;

use utoipa_axum::routes;

pub use charge::{Charge, charge, charge_sql};
pub use exceeded::{Exceeded, exceeded};
pub use read::{Usage, check_quota};
pub use recount::Recount;

use crate::client_routes::ClientRoutes;
use crate::middleware::scope::{Scope, on_any};
use crate::platform::Platform;

/// `GET /clients/{client}/usage`, for callers that have one of `scopes`.
pub fn routes(platform: &Platform, scopes: &[Scope]) -> ClientRoutes {
    ClientRoutes::new()
        .routes(on_any(scopes, &platform.access, routes!(show::get_usage)))
        .with_state(platform.database.clone())
}

/// Rows whose sums are what a client uses, trash and old versions included.
pub const TABLE: &str = "client_usage";

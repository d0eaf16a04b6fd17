//! How much a client stores, counted in the transaction that stores it, against its quota.

mod charge;
mod exceeded;
mod read;
mod recount;
mod show;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use charge::{Charge, charge, charge_sql};
pub(crate) use exceeded::{Exceeded, exceeded};
pub(crate) use read::{Usage, check_room};
pub use recount::recount_usage;

use crate::App;
use crate::documents;

/// `GET /clients/{client}/usage`.
pub(crate) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(documents::READ.on(app, routes!(show::get_usage)))
}

/// Rows whose sums are what a client uses, trash and old versions included.
pub(crate) const TABLE: &str = "client_usage";

//! How much a client stores, counted in the transaction that stores it, against its quota. Each workload says
//! what it counts.

mod charge;
mod check;
mod counter;
#[cfg(test)]
mod example;
mod exceeded;
mod recount;
mod show;

use std::sync::Arc;

use utoipa_axum::routes;

pub use charge::{Charge, charge, charge_sql};
pub use check::check_quota;
pub use counter::{Counter, Counters};
pub use exceeded::{Exceeded, exceeded};
pub use recount::Recount;

use crate::client_routes::ClientRoutes;
use crate::middleware::scope::{Scope, on_any};
use crate::platform::Platform;
use crate::workload::Workload;

/// To see how much is stored, whatever runs.
const READ: Scope = Scope("usage:read");

/// `GET /clients/{client}/usage`, for callers that may read what one of `workloads` stores.
pub fn routes(platform: &Platform, workloads: &[Arc<dyn Workload>]) -> ClientRoutes {
    let of_workloads = workloads.iter().map(|workload| workload.scopes().read);
    let scopes: Vec<Scope> = of_workloads.chain([READ]).collect();
    let state = show::UsageState {
        database: platform.database.clone(),
        counters: all(workloads),
    };
    ClientRoutes::new()
        .routes(on_any(&scopes, &platform.access, routes!(show::get_usage)))
        .with_state(state)
}

/// What `workloads` count.
///
/// # Panics
/// When two of them count something under the same name: the first server that is put together shows it.
pub(crate) fn all(workloads: &[Arc<dyn Workload>]) -> Vec<&'static Counters> {
    let all: Vec<_> = workloads.iter().filter_map(|it| it.counters()).collect();
    let mut names: Vec<&str> = all.iter().flat_map(|it| it.names()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "two counters have the same name");
    all
}

/// A row for each counter and slot; the sums over the slots are what a client uses.
pub const TABLE: &str = "usage";

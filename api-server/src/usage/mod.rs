//! How much a client stores, counted in the transaction that stores it, against its quota.

mod charge;
mod exceeded;
mod read;
mod recount;

#[expect(unused_imports, reason = "changes of a document are about to use it")]
pub(crate) use charge::charge;
pub(crate) use charge::{Charge, charge_sql};
pub(crate) use exceeded::{Exceeded, exceeded};
pub(crate) use read::{Usage, check_room};
pub use recount::recount_usage;

/// Rows whose sums are what a client uses, trash and old versions included.
pub(crate) const TABLE: &str = "client_usage";

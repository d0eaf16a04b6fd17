//! What the servers of a tenant do with documents by themselves: they end what has been in the trash for
//! long enough, and remove content that nothing refers to.

mod expired;
mod metrics;
pub(crate) mod orphans;
mod purge;
mod sweep;

pub use purge::Purge;
pub use sweep::Sweep;

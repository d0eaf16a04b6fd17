//! What the watches have brought of the cluster, kept as far as a decision needs it.

pub mod caches;
pub mod child;
pub mod merged_watch;
pub mod namespace_index;
pub mod object_cache;
pub mod optional_kinds;
pub(crate) mod owned;
mod packed;
pub mod pods;
pub mod presence;
pub mod referenced_secrets;
pub mod without_status;

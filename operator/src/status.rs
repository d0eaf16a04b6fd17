//! What a tenant's owner reads: conditions, the rest of the status, Events, and the trace of a reconcile.

pub mod apply;
pub mod conditions;
pub mod events;
pub(crate) mod findings;
pub(crate) mod rollout;
pub mod timeline;
pub(crate) mod workload_status;

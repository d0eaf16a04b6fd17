//! What a tenant's owner reads: conditions, the rest of the status, Events, and the trace of a reconcile.

pub mod apply;
pub mod conditions;
pub mod events;
mod findings;
mod message;
pub(crate) mod outcome;
pub(crate) mod report;
pub(crate) mod rollout;
pub mod timeline;
mod workload_status;

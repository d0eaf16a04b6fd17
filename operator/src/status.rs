//! What a tenant's owner reads: conditions, the rest of the status, Events, and the trace of a reconcile.

pub mod apply;
pub mod conditions;
pub mod events;
pub mod timeline;

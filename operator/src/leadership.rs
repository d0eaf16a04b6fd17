//! One operator at a time writes: the Lease, the fence that it opens, and the client that heeds the fence.

pub mod claims;
pub mod fence;
pub mod fenced_client;
pub mod lease;

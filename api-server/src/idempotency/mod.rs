//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that may be sent again
//! is done once, and every sending gets the answer of the first.
//!
//! A request [claims](Claim) its key for a while, renews the claim as long as it takes in what is
//! sent, and stores its answer in the transaction of what it did. Whoever fails frees the key; whoever
//! dies loses it when the claim runs out.

mod claim;
mod expire;
mod fingerprint;
mod key;

pub(crate) use claim::{Claim, Claimed};
pub use expire::expire_idempotency_keys;
pub(crate) use fingerprint::Fingerprint;
pub(crate) use key::{IdempotencyKey, REPLAYED};

pub(crate) const TABLE: &str = "idempotency_keys";

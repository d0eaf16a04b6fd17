//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that may be sent again
//! is done once, and every sending gets the answer of the first.
//!
//! A request [claims](Claim) its key for a while, renews the claim as long as it takes in what is
//! sent, and stores its answer in the transaction of what it did. Whoever fails frees the key; whoever
//! dies loses it when the claim runs out.

mod answer;
mod claim;
mod expire;
mod fingerprint;
mod key;

pub use answer::Answer;
pub use claim::{Claim, Claimed};
pub use expire::Expire;
pub use fingerprint::Fingerprint;
pub use key::IdempotencyKey;

/// Keys, who has them, and what was answered.
pub const TABLE: &str = "idempotency_keys";

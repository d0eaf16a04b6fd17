//! The operator's locks: rows of a table that no client's role can reach. An advisory lock goes by a number that
//! anybody can work out and hold (ADR 0044).

use crate::Identity;
use crate::quote::literal;

/// Takes the lock of a client's schema until the transaction ends; whoever has it is waited for.
pub(crate) fn lock(identity: &Identity) -> String {
    format!(
        "INSERT INTO docket.locks (name) VALUES ({}) ON CONFLICT (name) DO UPDATE SET name = excluded.name;",
        literal(&identity.schema)
    )
}
/// Forgets the locks of a client that is gone, within the transaction that holds its lock.
pub(crate) fn forget_locks(identity: &Identity) -> String {
    format!(
        "DELETE FROM docket.locks WHERE name IN ({}, {});",
        literal(&identity.schema),
        literal(&migration(identity))
    )
}

/// The name of the lock that keeps others from the migrations of `identity` outside of transactions.
pub(crate) fn migration(identity: &Identity) -> String {
    format!("migration:{}", identity.schema)
}

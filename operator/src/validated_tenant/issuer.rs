//! A tenant that issues tokens of its own.

use crate::credentials::rotation::Rotated;
use crate::credentials::signing_keys::SigningKeys;

/// The keys of a tenant that issues tokens.
#[derive(Clone, Debug)]
pub struct ValidatedIssuer {
    /// The keys.
    pub keys: SigningKeys,
    /// Their last step, if there was one since they were made.
    pub rotated: Option<Rotated>,
}

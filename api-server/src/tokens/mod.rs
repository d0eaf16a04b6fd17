//! JSON Web Tokens of the tenant's issuer (RFC 7519): who a caller is, which clients it may speak for,
//! and which scopes it has.

mod bearer;
mod claims;
mod issuer;
mod jwks;
mod source;
mod verifier;

pub(crate) use bearer::token;
pub(crate) use claims::Claims;
pub(crate) use issuer::{Issuer, Pace};
pub(crate) use verifier::RING;

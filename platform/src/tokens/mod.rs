//! JSON Web Tokens of the tenant's issuer (RFC 7519): who a caller is, which clients it may speak for,
//! and which scopes it has.

mod bearer;
mod claims;
mod issuer;
mod jwks;
mod source;
mod verifier;

pub use bearer::token;
pub use claims::Claims;
pub use issuer::{Issuer, Pace};
pub use verifier::RING;

//! JSON Web Tokens (RFC 7519): who a caller is, which clients it may speak for, and which scopes it has.
//!
//! The issuer is one that the tenant names, or the tenant itself; their tokens are checked on one path.

mod accepted;
mod bearer;
mod claims;
mod issuer;
mod jwks;
mod own_issuer;
mod source;
mod token_signer;
mod verifier;

pub use accepted::AcceptedIssuers;
pub use bearer::token;
pub use claims::Claims;
pub use issuer::{Issuer, Pace};
pub use own_issuer::OwnIssuer;
pub use token_signer::{SignedToken, TokenGrant, TokenSigner};
pub use verifier::RING;

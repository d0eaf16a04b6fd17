//! Passwords, API keys, signing keys, certificates and headers: made, read from Secrets, and rotated.

pub mod api_keys;
pub mod certificate;
pub mod ed25519;
pub mod headers;
pub mod rotation;
pub mod secret_value;
pub mod signing_keys;

//! Passwords and API keys: random, made once, kept in a Secret.

use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// A new password: 256 random bits as hex.
#[must_use]
pub fn new_password() -> SecretString {
    hex::encode(rand::rng().random::<[u8; 32]>()).into()
}

/// A new API key: 256 random bits as hex; the prefix lets secret scanners recognise it.
#[must_use]
pub fn new_api_key() -> SecretString {
    format!("dk_{}", hex::encode(rand::rng().random::<[u8; 32]>())).into()
}

/// What the registry keeps of a password to tell whether a role still has it.
///
/// A fast hash is enough: passwords are 256 random bits, so there is nothing to guess.
#[must_use]
pub fn fingerprint(secret: &SecretString) -> String {
    hex::encode(Sha256::digest(secret.expose_secret()))
}

/// The SCRAM-SHA-256 verifier of `password` (RFC 5803), made here so that the password itself never
/// travels in a statement.
#[must_use]
pub fn scram_verifier(password: &SecretString) -> String {
    postgres_protocol::password::scram_sha_256(password.expose_secret().as_bytes())
}

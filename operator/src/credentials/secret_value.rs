//! Passwords and API keys: random, made once, kept in a Secret.

use docket_contract::PUBLISHABLE_PREFIX;
use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Makes passwords and API keys. A decision takes one, so that it can be repeated.
pub trait SecretGenerator {
    /// 64 hexadecimal digits.
    fn password(&mut self) -> SecretString;

    /// A new API key; the prefix lets secret scanners recognise it.
    fn api_key(&mut self) -> SecretString {
        format!("dk_{}", self.password().expose_secret()).into()
    }

    /// A new publishable key.
    fn publishable_key(&mut self) -> SecretString {
        format!("{PUBLISHABLE_PREFIX}{}", self.password().expose_secret()).into()
    }
}

/// 256 random bits each.
#[derive(Clone, Copy, Debug)]
pub struct RandomSecrets;

impl SecretGenerator for RandomSecrets {
    fn password(&mut self) -> SecretString {
        hex::encode(rand::rng().random::<[u8; 32]>()).into()
    }
}

/// In the place of secrets that a plan would need: none is made that nobody will use.
#[derive(Clone, Copy, Debug)]
pub struct PlannedSecrets;

impl SecretGenerator for PlannedSecrets {
    fn password(&mut self) -> SecretString {
        "0".repeat(64).into()
    }
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

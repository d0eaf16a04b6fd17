//! API keys are known to the API server by their hash only.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// SHA-256 of an API key, as 64 lower-case hex digits.
///
/// A fast hash is enough: keys are 256 random bits, so there is nothing to guess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ApiKeyHash(pub String);

/// Hash of `key`, to be compared with what the configuration holds.
#[must_use]
pub fn hash_api_key(key: &str) -> ApiKeyHash {
    let mut digits = vec![0; 2 * Sha256::output_size()];
    hex::encode_to_slice(Sha256::digest(key.as_bytes()), &mut digits).expect("two digits a byte");
    ApiKeyHash(String::from_utf8(digits).expect("hex digits are ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_sha256_of_the_key_in_hex() {
        // FIPS 180-2, appendix B.1: the digest of "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_api_key("abc").0, expected);
    }
}

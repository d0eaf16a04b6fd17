//! Keys for Ed25519 (RFC 8032): made of a seed, written as PKCS#8 (RFC 8410), known by the digest of their
//! public half (RFC 7638).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use docket_contract::{PublishedKey, SigningKey};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// What stands before the seed of a key in PKCS#8: its version, its algorithm, and the lengths.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A key that signs.
#[derive(Clone, Debug)]
pub struct PrivateKey {
    /// PKCS#8, in PEM.
    pub pem: SecretString,
    /// What checks its signatures.
    pub public: PublicKey,
}

/// What checks the signatures of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PrivateKey {
    /// The key that `seed` makes.
    ///
    /// # Panics
    /// Never: any 32 bytes are a seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let der = STANDARD.encode([&PKCS8[..], &seed[..]].concat());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
        Self::read(pem.as_bytes()).expect("any 32 bytes are a seed")
    }

    /// The key that `pem` holds, if it holds one for Ed25519.
    #[must_use]
    pub fn read(pem: &[u8]) -> Option<Self> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).ok()?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).ok()?;
        let pem = std::str::from_utf8(pem).ok()?;
        Some(Self {
            pem: pem.into(),
            public: PublicKey(pair.public_key().as_ref().try_into().ok()?),
        })
    }

    /// As an API server reads it.
    #[must_use]
    pub fn signer(&self) -> SigningKey {
        SigningKey {
            id: self.public.id(),
            private_key: self.pem.clone(),
        }
    }
}

impl PublicKey {
    /// The key that was [written](Self::x) as `text`.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The member `x` of its JWK (RFC 8037, 2).
    #[must_use]
    pub fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The digest by which tokens name it.
    #[must_use]
    pub fn id(&self) -> String {
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        URL_SAFE_NO_PAD.encode(Sha256::digest(members))
    }

    /// As an API server reads it.
    #[must_use]
    pub fn published(&self) -> PublishedKey {
        PublishedKey {
            id: self.id(),
            x: self.x(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    /// RFC 8410, 10.3.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                       -----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_is_written_as_rfc_8410_has_it() {
        let read = PrivateKey::read(PEM.as_bytes()).expect("a key");
        let seed = hex::decode("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");
        let seed = seed.expect("hex").try_into().expect("32 bytes");
        let made = PrivateKey::from_seed(seed);
        assert_eq!(made.pem.expose_secret(), PEM);
        assert_eq!(made.public, read.public);
        let public = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE";
        assert_eq!(read.public.x(), public);
        assert_eq!(PublicKey::read(public.as_bytes()), Some(read.public));
    }

    #[test]
    fn a_key_is_known_by_the_thumbprint_of_rfc_8037() {
        // Appendix A.3.
        let x = b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key = PublicKey::read(x).expect("a key");
        assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn what_is_no_key_for_ed25519_is_none() {
        for wrong in [
            "",
            "key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ] {
            assert!(PrivateKey::read(wrong.as_bytes()).is_none(), "{wrong}");
            assert!(PublicKey::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}

//! The tenant as an issuer of its own: the keys that it has now, with which it signs, and which it publishes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use docket_contract::{PublishedKey, SigningKeys};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use parking_lot::RwLock;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use super::issuer::{Issuer, KnownKeys, Terms};
use super::jwks::Jwks;
use crate::error::Error;

/// The claim of its tokens that names the client (RFC 9068, 2.2).
pub const CLIENT_CLAIM: &str = "client_id";

/// What its tokens are, in their header `typ` (RFC 9068, 2.1): nothing else that it may sign is one.
pub(super) const TOKEN_TYPE: &str = "at+jwt";

/// The issuer that the tenant itself is.
#[derive(Debug)]
pub struct OwnIssuer {
    url: String,
    lifetime: Duration,
    /// For who checks tokens.
    known: watch::Sender<KnownKeys>,
    keys: RwLock<Option<Arc<Keys>>>,
}

/// What a file holds, ready to be used.
struct Keys {
    signer: EncodingKey,
    header: Header,
    published: Bytes,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("id", &self.header.kid)
            .finish()
    }
}

impl OwnIssuer {
    /// It has no keys until it [takes](Self::take) some.
    pub fn new(config: &docket_contract::OwnIssuer) -> Self {
        let (known, _) = watch::channel(None);
        Self {
            url: config.url.clone(),
            lifetime: Duration::from_secs(config.token_lifetime_seconds.get().into()),
            known,
            keys: RwLock::default(),
        }
    }

    /// What the claims `iss` and `aud` of its tokens are; where callers reach the API.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How long a token is good for at most.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Who checks its tokens, by what it publishes and on the same path as those of others.
    pub fn verifier(&self) -> Issuer {
        let terms = Terms {
            issuer: self.url.clone(),
            audience: self.url.clone(),
            client_claim: CLIENT_CLAIM.to_owned(),
            token_type: Some(TOKEN_TYPE),
        };
        Issuer::of_known(terms, self.known.subscribe())
    }

    /// Signs with the key of `file` and publishes all of it from now on; says whether that is something else.
    ///
    /// # Errors
    /// A sentence when they cannot be used; the last ones then go on.
    pub fn take(&self, file: &SigningKeys) -> anyhow::Result<bool> {
        let published = key_set(&file.published);
        if let Ok(keys) = self.keys()
            && keys.published == published
            && keys.header.kid.as_ref() == Some(&file.signer.id)
        {
            return Ok(false);
        }
        let known = Jwks::parse(&published).map_err(anyhow::Error::msg)?;
        anyhow::ensure!(
            !known.is_empty(),
            "no key that can check a signature is among them"
        );
        let keys = Keys {
            signer: signer(file)?,
            header: Header {
                typ: Some(TOKEN_TYPE.to_owned()),
                kid: Some(file.signer.id.clone()),
                ..Header::new(Algorithm::EdDSA)
            },
            published: published.into(),
        };
        // First who checks, then who signs.
        self.known.send_replace(Some(Arc::new(known)));
        *self.keys.write() = Some(Arc::new(keys));
        Ok(true)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517).
    ///
    /// # Errors
    /// [`Error::IssuerUnavailable`] before there are any.
    pub fn published(&self) -> Result<Bytes, Error> {
        Ok(self.keys()?.published.clone())
    }

    /// A token with these claims, and the id of the key that signed it.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<(String, String), Error> {
        let keys = self.keys()?;
        // Its own keys were tried when they were taken.
        let token = encode(&keys.header, claims, &keys.signer);
        let token = token.map_err(|_| Error::IssuerUnavailable)?;
        Ok((token, keys.header.kid.clone().unwrap_or_default()))
    }

    fn keys(&self) -> Result<Arc<Keys>, Error> {
        let keys = self.keys.read();
        keys.clone().ok_or(Error::IssuerUnavailable)
    }
}

fn key_set(keys: &[PublishedKey]) -> Vec<u8> {
    let jwk = |key: &PublishedKey| json!({"kty": "OKP", "crv": "Ed25519", "x": key.x, "kid": key.id, "use": "sig", "alg": "EdDSA"});
    let keys: Vec<_> = keys.iter().map(jwk).collect();
    json!({"keys": keys}).to_string().into_bytes()
}

/// The key that signs, if its public half is published under its name.
fn signer(file: &SigningKeys) -> anyhow::Result<EncodingKey> {
    let pem = file.signer.private_key.expose_secret();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
    let der = der.map_err(|_| anyhow::anyhow!("the key that signs is no PKCS#8 in PEM"))?;
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
    let pair = pair.map_err(|_| anyhow::anyhow!("the key that signs is none for Ed25519"))?;
    let mut published = file.published.iter();
    let published = published.find(|key| key.id == file.signer.id);
    let published = published.context("the key that signs is not published")?;
    let public = DecodingKey::from_ed_components(&published.x)?;
    ensure!(
        public.try_get_as_bytes()? == pair.public_key().as_ref(),
        "the key that signs is not the one that is published under its name"
    );
    Ok(EncodingKey::from_ed_der(der.secret_pkcs8_der()))
}

#[cfg(test)]
pub(super) mod example;
#[cfg(test)]
mod tests;

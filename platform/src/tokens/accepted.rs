//! The issuers whose tokens are accepted: each token goes to the one that it names.

use serde::Deserialize;

use super::Claims;
use super::issuer::Issuer;
use crate::error::Error;

/// The issuers whose tokens are accepted.
#[derive(Debug, Default)]
pub struct AcceptedIssuers(Vec<Issuer>);

/// What a token says of its issuer, which nobody has checked yet.
#[derive(Deserialize)]
struct Named {
    iss: String,
}

impl AcceptedIssuers {
    /// Each has a name of its own.
    pub fn new(issuers: impl IntoIterator<Item = Issuer>) -> Self {
        Self(issuers.into_iter().collect())
    }

    /// Whether no token is accepted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of an issuer whose keys were never known, if there is one.
    pub fn without_keys(&self) -> Option<&str> {
        let issuer = self.0.iter().find(|issuer| !issuer.had_keys());
        issuer.map(Issuer::name)
    }

    /// What `token` says, and which issuer signed it for us.
    ///
    /// # Errors
    /// [`Error::TokenRefused`] with a sentence; [`Error::IssuerUnavailable`] while the keys of its issuer are
    /// not known.
    pub async fn verify(&self, token: &str) -> Result<(&Issuer, Claims), Error> {
        let issuer = self.named_by(token).ok_or(Error::IssuerUnavailable)?;
        Ok((issuer, issuer.verify(token).await?))
    }

    /// The issuer that `token` names; the first one where it names none of them, which then says why it
    /// refuses it.
    fn named_by(&self, token: &str) -> Option<&Issuer> {
        if let [only] = &self.0[..] {
            return Some(only);
        }
        let named = jsonwebtoken::dangerous::insecure_decode_claims::<Named>(token).ok();
        let named = named.and_then(|named| self.0.iter().find(|it| it.name() == named.iss));
        named.or_else(|| self.0.first())
    }
}

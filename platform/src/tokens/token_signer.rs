//! Tokens of the tenant's own issuer, as RFC 9068 has them: for a client, or for one of its users.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use uuid::Uuid;

use super::own_issuer::OwnIssuer;
use crate::error::Error;

/// Signs tokens for those who were proved to be who they say.
#[derive(Clone, Debug)]
pub struct TokenSigner(Arc<OwnIssuer>);

/// What a token says.
#[derive(Clone, Debug)]
pub struct TokenGrant<'a> {
    /// Name of the client whose routes it opens.
    pub client: &'a str,
    /// The user for whom it is, as the audit log names it; none for the client itself.
    pub user: Option<&'a str>,
    /// What it lets its bearer do.
    pub scopes: &'a [&'a str],
    /// How long it is good for, if that is shorter than what the tenant allows.
    pub lifetime: Option<Duration>,
}

/// A token, and what is told along with it.
#[derive(Clone, Debug)]
pub struct SignedToken {
    /// The token.
    pub token: SecretString,
    /// Its own id (`jti`), by which it may be spoken of.
    pub id: String,
    /// The key that signed it (`kid`).
    pub key_id: String,
    /// How long it is good for, in whole seconds.
    pub expires_in: Duration,
}

#[derive(Serialize)]
struct NewClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    client_id: &'a str,
    scope: String,
    iat: i64,
    exp: i64,
    jti: String,
}

impl TokenSigner {
    /// Signs with what `issuer` has at the time.
    pub fn new(issuer: Arc<OwnIssuer>) -> Self {
        Self(issuer)
    }

    /// A token for `grant`, from now on.
    ///
    /// # Errors
    /// [`Error::IssuerUnavailable`] while there is no key; [`Error::Unprocessable`] for a user who is called
    /// as the client is: the token would be taken for the client's own.
    pub fn sign(&self, grant: &TokenGrant<'_>) -> Result<SignedToken, Error> {
        self.sign_at(grant, Timestamp::now(), Uuid::new_v4())
    }

    fn sign_at(
        &self,
        grant: &TokenGrant<'_>,
        now: Timestamp,
        id: Uuid,
    ) -> Result<SignedToken, Error> {
        if grant.user == Some(grant.client) {
            let why = "a user must not be called as its client is";
            return Err(Error::Unprocessable(why.to_owned()));
        }
        let longest = self.0.lifetime();
        let lifetime = grant.lifetime.map_or(longest, |asked| asked.min(longest));
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let iat = now.as_second();
        let claims = NewClaims {
            iss: self.0.url(),
            aud: self.0.url(),
            sub: grant.user.unwrap_or(grant.client),
            client_id: grant.client,
            scope: grant.scopes.join(" "),
            iat,
            exp: iat.saturating_add(seconds),
            jti: id.to_string(),
        };
        let (token, key_id) = self.0.sign(&claims)?;
        Ok(SignedToken {
            token: token.into(),
            id: claims.jti,
            key_id,
            expires_in: Duration::from_secs(lifetime.as_secs()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::own_issuer::example::{issuer, key};
    use secrecy::ExposeSecret as _;
    use serde_json::Value;

    /// 2026-11-28T12:00:00Z.
    const NOON: Timestamp = Timestamp::constant(1_795_867_200, 0);

    fn signer() -> TokenSigner {
        let own = issuer(Duration::from_secs(900));
        own.take(&key(1)).expect("usable keys");
        TokenSigner::new(Arc::new(own))
    }

    fn grant(user: Option<&'static str>, lifetime: Option<u64>) -> TokenGrant<'static> {
        TokenGrant {
            client: "globex",
            user,
            scopes: &["a:read", "a:write"],
            lifetime: lifetime.map(Duration::from_secs),
        }
    }

    fn claims(grant: &TokenGrant<'_>) -> Value {
        let signed = signer().sign_at(grant, NOON, Uuid::nil()).expect("a token");
        let token = signed.token.expose_secret();
        jsonwebtoken::dangerous::insecure_decode_claims(token).expect("claims")
    }

    #[test]
    fn a_token_says_who_may_do_what_until_when_as_rfc_9068_has_it() {
        insta::assert_json_snapshot!(claims(&grant(Some("alice"), None)), @r#"
        {
          "aud": "https://acme.example",
          "client_id": "globex",
          "exp": 1795868100,
          "iat": 1795867200,
          "iss": "https://acme.example",
          "jti": "00000000-0000-0000-0000-000000000000",
          "scope": "a:read a:write",
          "sub": "alice"
        }
        "#);
        assert_eq!(claims(&grant(None, None))["sub"], "globex");
    }

    #[test]
    fn no_token_is_good_for_longer_than_the_tenant_allows() {
        for (asked, seconds) in [
            (None, 900),
            (Some(60), 60),
            (Some(901), 900),
            (Some(u64::MAX), 900),
        ] {
            let claims = claims(&grant(None, asked));
            let (from, until) = (claims["iat"].as_i64(), claims["exp"].as_i64());
            assert_eq!(
                until.expect("exp") - from.expect("iat"),
                seconds,
                "{asked:?}"
            );
        }
    }

    #[test]
    fn a_user_is_never_taken_for_the_client() {
        let refused = signer().sign(&grant(Some("globex"), None));
        assert!(matches!(refused, Err(Error::Unprocessable(_))));
    }

    #[test]
    fn before_there_is_a_key_nothing_is_signed() {
        let signer = TokenSigner::new(Arc::new(issuer(Duration::from_secs(900))));
        let refused = signer.sign(&grant(None, None));
        assert!(matches!(refused, Err(Error::IssuerUnavailable)));
    }
}

//! The issuer whose tokens are accepted, and its keys: fetched in the background, again and again, so
//! that the issuer replaces them without a restart here, and may be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use docket_contract::Jwt;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use super::Claims;
use super::jwks::{Jwks, KeyMatch};
use super::source::Source;
use crate::error::Error;

/// Seconds by which clocks may differ.
const LEEWAY: u64 = 60;
/// First pause after a failure; it doubles up to [`Pace::least`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How often the keys are fetched.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Time between two fetches while nothing asks for one.
    pub usual: Duration,
    /// Time between two fetches at least, however many unknown keys tokens name.
    pub least: Duration,
    /// How long a request waits for a key that is not known yet.
    pub patience: Duration,
}

/// The issuer of a tenant.
#[derive(Debug)]
pub struct Issuer {
    jwt: Jwt,
    pace: Pace,
    fetched: watch::Receiver<Fetched>,
    shared: Arc<Shared>,
    _fetching: AbortOnDropHandle<()>,
}

/// What fetching and requests tell each other.
#[derive(Debug, Default)]
struct Shared {
    /// Somebody needs a key that is not known.
    wanted: Notify,
    /// A fetch was so recent that another is not due.
    resting: AtomicBool,
}

/// The last keys; none before the first fetch that succeeded.
#[derive(Clone, Debug, Default)]
struct Fetched(Option<Arc<Jwks>>);

enum Refusal {
    UnknownKey,
    Token(String),
}

impl Issuer {
    /// Begins to fetch the keys; it takes a Tokio runtime.
    ///
    /// # Errors
    /// When an address or a certificate makes no sense.
    pub fn new(jwt: Jwt, pace: Pace) -> anyhow::Result<Self> {
        let source = Source::new(&jwt)?;
        let (tell, fetched) = watch::channel(Fetched::default());
        let shared = Arc::new(Shared::default());
        let fetching = tokio::spawn(fetch_forever(source, tell, shared.clone(), pace));
        Ok(Self {
            jwt,
            pace,
            fetched,
            shared,
            _fetching: AbortOnDropHandle::new(fetching),
        })
    }

    /// What it calls itself: the claim `iss` of its tokens.
    pub fn name(&self) -> &str {
        &self.jwt.issuer
    }

    /// Name of the claim that names the client.
    pub fn client_claim(&self) -> &str {
        &self.jwt.client_claim
    }

    /// Whether the keys were fetched at least once.
    pub fn has_keys(&self) -> bool {
        self.fetched.borrow().0.is_some()
    }

    /// What `token` says, if the issuer signed it for us.
    ///
    /// # Errors
    /// [`Error::TokenRefused`] with a sentence; [`Error::IssuerUnavailable`] before the first fetch.
    pub async fn verify(&self, token: &str) -> Result<Claims, Error> {
        match self.verify_with_known(token)? {
            Ok(claims) => return Ok(claims),
            Err(Refusal::Token(why)) => return Err(Error::TokenRefused(why)),
            Err(Refusal::UnknownKey) => self.fetch_anew().await,
        }
        let unknown = || "the issuer has no such key".to_owned();
        self.verify_with_known(token)?.map_err(|refusal| {
            Error::TokenRefused(match refusal {
                Refusal::Token(why) => why,
                Refusal::UnknownKey => unknown(),
            })
        })
    }

    fn verify_with_known(&self, token: &str) -> Result<Result<Claims, Refusal>, Error> {
        let keys = self.fetched.borrow().0.clone();
        let keys = keys.ok_or(Error::IssuerUnavailable)?;
        Ok(self.check(token, &keys))
    }

    fn check(&self, token: &str, keys: &Jwks) -> Result<Claims, Refusal> {
        let refused = |why: &str| Refusal::Token(why.to_owned());
        let header = decode_header(token).map_err(|_| refused("it is no token that is signed"))?;
        // RFC 7515, 4.1.11: what is critical and not understood refuses the token.
        if header.crit.is_some() {
            return Err(refused("the token has extensions that are not known"));
        }
        let key = match keys.find(header.kid.as_deref(), header.alg) {
            KeyMatch::Key(key) => key,
            KeyMatch::Unknown => return Err(Refusal::UnknownKey),
            KeyMatch::Nothing(why) => return Err(refused(why)),
        };
        self.decode(token, key, header.alg)
    }

    fn decode(
        &self,
        token: &str,
        key: &DecodingKey,
        algorithm: jsonwebtoken::Algorithm,
    ) -> Result<Claims, Refusal> {
        let mut rules = Validation::new(algorithm);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        rules.set_issuer(&[&self.jwt.issuer]);
        rules.set_audience(&[&self.jwt.audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        match decode::<Claims>(token, key, &rules) {
            Ok(decoded) => Ok(decoded.claims),
            Err(error) => Err(Refusal::Token(match error.kind() {
                ErrorKind::ExpiredSignature => "the token has expired".into(),
                ErrorKind::ImmatureSignature => "the token is not valid yet".into(),
                ErrorKind::InvalidIssuer => "the token is of another issuer".into(),
                ErrorKind::InvalidAudience => "the token is for another audience".into(),
                ErrorKind::MissingRequiredClaim(claim) => {
                    format!("the token has no claim {claim}")
                }
                ErrorKind::InvalidSignature => "the signature is not that of the token".into(),
                _ => "the token cannot be understood".into(),
            })),
        }
    }

    /// Waits for the next fetch, unless the last one was only just now.
    async fn fetch_anew(&self) {
        let mut fetched = self.fetched.clone();
        fetched.borrow_and_update();
        self.shared.wanted.notify_one();
        if self.shared.resting.load(Ordering::Acquire) {
            return;
        }
        // Whatever came of it: the token is looked at again.
        let _ = tokio::time::timeout(self.pace.patience, fetched.changed()).await;
    }
}

async fn fetch_forever(
    source: Source,
    tell: watch::Sender<Fetched>,
    shared: Arc<Shared>,
    pace: Pace,
) {
    let mut pause = FIRST_PAUSE.min(pace.least);
    loop {
        let fetched = source.fetch().await;
        shared.resting.store(true, Ordering::Release);
        match fetched {
            Ok(keys) => {
                tell.send_replace(Fetched(Some(Arc::new(keys))));
                pause = FIRST_PAUSE.min(pace.least);
                tokio::time::sleep(pace.least).await;
                shared.resting.store(false, Ordering::Release);
                // A need that arose meanwhile is met at once.
                let usual = pace.usual.saturating_sub(pace.least);
                let _ = tokio::time::timeout(usual, shared.wanted.notified()).await;
            }
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "the issuer's keys cannot be fetched");
                // Wakes who waits; the last keys go on working.
                tell.send_modify(|_| ());
                tokio::time::sleep(pause).await;
                shared.resting.store(false, Ordering::Release);
                pause = (pause * 2).min(pace.least);
            }
        }
    }
}

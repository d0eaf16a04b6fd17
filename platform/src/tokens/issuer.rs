//! An issuer whose tokens are accepted, and its keys: those of another are fetched in the background, again
//! and again, so that the issuer replaces and withdraws them without a restart here, and may be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use docket_contract::Jwt;
use docket_instrumentation::restart_after_panics;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
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
    /// Age from which keys are no longer believed while the issuer is away: it may have withdrawn them.
    pub longest: Duration,
    /// How long a request waits for a key that is not known yet.
    pub patience: Duration,
}

/// An issuer whose tokens a tenant accepts.
#[derive(Debug)]
pub struct Issuer {
    terms: Terms,
    keys: watch::Receiver<KnownKeys>,
    /// Of the tenant's own issuer, nothing is fetched.
    fetching: Option<Fetching>,
}

/// What a token of an issuer must say.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) client_claim: String,
    /// What its header `typ` must be, if that matters.
    pub(super) token_type: Option<&'static str>,
}

/// The last keys; none before the first, and once they are too old.
pub(super) type KnownKeys = Option<Arc<Jwks>>;

#[derive(Debug)]
struct Fetching {
    pace: Pace,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

/// What fetching and requests tell each other.
#[derive(Debug, Default)]
struct Shared {
    /// Somebody needs a key that is not known.
    wanted: Notify,
    /// A fetch was so recent that another is not due.
    resting: AtomicBool,
    /// There were keys.
    fetched: AtomicBool,
}

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
        let (tell, keys) = watch::channel(None);
        let shared = Arc::new(Shared::default());
        let (source, fetching) = (Arc::new(source), shared.clone());
        let fetch = move || fetch_forever(source.clone(), tell.clone(), fetching.clone(), pace);
        let task = tokio::spawn(restart_after_panics("issuer-keys", fetch));
        Ok(Self {
            terms: Terms {
                issuer: jwt.issuer,
                audience: jwt.audience,
                client_claim: jwt.client_claim,
                token_type: None,
            },
            keys,
            fetching: Some(Fetching {
                pace,
                shared,
                _task: AbortOnDropHandle::new(task),
            }),
        })
    }

    /// An issuer whose `keys` come by themselves.
    pub(super) fn of_known(terms: Terms, keys: watch::Receiver<KnownKeys>) -> Self {
        Self {
            terms,
            keys,
            fetching: None,
        }
    }

    /// What its tokens have as the claim `iss`.
    pub fn name(&self) -> &str {
        &self.terms.issuer
    }

    /// Name of the claim that names the client.
    pub fn client_claim(&self) -> &str {
        &self.terms.client_claim
    }

    /// Whether its keys were ever known: those of an issuer that is away for long are known to no server.
    pub fn had_keys(&self) -> bool {
        let fetched = |fetching: &Fetching| fetching.shared.fetched.load(Ordering::Acquire);
        self.keys.borrow().is_some() || self.fetching.as_ref().is_some_and(fetched)
    }

    /// What `token` says, if the issuer signed it for us.
    ///
    /// # Errors
    /// [`Error::TokenRefused`] with a sentence; [`Error::IssuerUnavailable`] before the first fetch, and when the
    /// last one was too long ago.
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
        let keys = self.keys.borrow().clone();
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
        let token_type = self.terms.token_type;
        if token_type.is_some_and(|wanted| !is_of_type(header.typ.as_deref(), wanted)) {
            return Err(refused("it is no token that opens an API"));
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
        rules.set_issuer(&[&self.terms.issuer]);
        rules.set_audience(&[&self.terms.audience]);
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
        let Some(Fetching { pace, shared, .. }) = &self.fetching else {
            return;
        };
        let mut keys = self.keys.clone();
        keys.borrow_and_update();
        shared.wanted.notify_one();
        if shared.resting.load(Ordering::Acquire) {
            return;
        }
        // Whatever came of it: the token is looked at again.
        let _ = tokio::time::timeout(pace.patience, keys.changed()).await;
    }
}

/// As media types are compared: in any case, and with `application/` before it or not (RFC 7515, 4.1.9).
fn is_of_type(sent: Option<&str>, wanted: &str) -> bool {
    let sent = sent.map(str::to_ascii_lowercase).unwrap_or_default();
    sent.strip_prefix("application/").unwrap_or(&sent) == wanted
}

async fn fetch_forever(
    source: Arc<Source>,
    tell: watch::Sender<KnownKeys>,
    shared: Arc<Shared>,
    pace: Pace,
) {
    let mut pause = FIRST_PAUSE.min(pace.least);
    let mut heard = Instant::now();
    loop {
        let fetched = source.fetch().await;
        shared.resting.store(true, Ordering::Release);
        match fetched {
            Ok(keys) => {
                if keys.is_empty() {
                    tracing::warn!(
                        "the issuer has no key that can check a signature: no token of it is accepted"
                    );
                }
                heard = Instant::now();
                shared.fetched.store(true, Ordering::Release);
                tell.send_replace(Some(Arc::new(keys)));
                pause = FIRST_PAUSE.min(pace.least);
                tokio::time::sleep(pace.least).await;
                shared.resting.store(false, Ordering::Release);
                // A need that arose meanwhile is met at once.
                let usual = pace.usual.saturating_sub(pace.least);
                let _ = tokio::time::timeout(usual, shared.wanted.notified()).await;
            }
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "the issuer's keys cannot be fetched");
                // Wakes who waits; the last keys go on working for a time.
                tell.send_modify(|keys| {
                    if heard.elapsed() > pace.longest && keys.take().is_some() {
                        tracing::error!("the issuer's keys are too old to be believed");
                    }
                });
                tokio::time::sleep(pause).await;
                shared.resting.store(false, Ordering::Release);
                pause = (pause * 2).min(pace.least);
            }
        }
    }
}

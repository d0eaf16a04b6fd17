//! Who may call, and how often: what the [`gate`](super::gate) of every route asks.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use docket_contract::{API_KEY_HEADER, TenantLimits};
use http::{HeaderMap, header};
use tokio_util::sync::CancellationToken;

use super::rate_limit::RateLimits;
use super::under_way::RequestsUnderWay;
use crate::tenant::Tenant;
use crate::tokens::{AcceptedIssuers, Issuer, OwnIssuer, Pace};

/// What a gate asks, for all routes the same.
#[derive(Debug)]
pub struct Access {
    /// Whose clients may call.
    pub tenant: Arc<Tenant>,
    /// Whose tokens are accepted; of nobody where keys are alone, or nothing is asked for.
    pub issuers: AcceptedIssuers,
    /// The tenant as one of them, if it is.
    pub own_issuer: Option<Arc<OwnIssuer>>,
    /// How often.
    pub rate_limits: RateLimits,
    /// How many at once.
    pub(super) under_way: RequestsUnderWay,
    /// Time until the first byte of an answer, unless a route reads a large body.
    pub deadline: Duration,
    /// Cancelled once the server takes no new requests: another has taken its place.
    pub draining: CancellationToken,
}

impl Access {
    /// Begins to fetch the keys of an issuer of tokens, for which it needs a Tokio runtime. A client may have as
    /// many requests under way as `most_at_once` says.
    ///
    /// # Errors
    /// When the issuer of the tenant makes no sense.
    pub fn new(
        tenant: Arc<Tenant>,
        deadline: Duration,
        most_at_once: usize,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        let jwt = tenant.jwt.clone();
        let other = jwt.map(|jwt| Issuer::new(jwt, pace)).transpose()?;
        let own_issuer = tenant.own_issuer.as_ref().map(OwnIssuer::new).map(Arc::new);
        let own = own_issuer.as_ref().map(|own| own.verifier());
        Ok(Self {
            issuers: AcceptedIssuers::new(other.into_iter().chain(own)),
            own_issuer,
            rate_limits: RateLimits::new(tenant.limits.rate_limit),
            under_way: RequestsUnderWay::new(
                tenant.clients().map(|client| client.name.as_str()),
                most_at_once,
            ),
            deadline,
            draining: CancellationToken::new(),
            tenant,
        })
    }

    /// Those whose tokens are accepted, if a request with these `headers` is to be proved by a token: in mode
    /// ApiKey, a key that is sent along goes before it.
    pub(super) fn issuers_for(&self, headers: &HeaderMap) -> Option<&AcceptedIssuers> {
        if self.issuers.is_empty() {
            return None;
        }
        let sends_key = headers.contains_key(API_KEY_HEADER);
        let sends_nothing = !headers.contains_key(header::AUTHORIZATION);
        let by_key = self.tenant.takes_keys() && (sends_key || sends_nothing);
        (!by_key).then_some(&self.issuers)
    }

    /// Lets clients do what `limits` say, or what they could before where there are none, and takes
    /// this pod's part of what all `pods` may answer together; returns whether anything is new.
    pub fn limit_clients(&self, pods: NonZeroU32, limits: Option<&TenantLimits>) -> bool {
        let names = self.tenant.clients().map(|client| client.name.as_str());
        let rate = limits.map(|limits| limits.rate_limit);
        let mut changed = self.rate_limits.share(names, pods, rate);
        for client in self.tenant.clients() {
            if let Some(limits) = limits.and_then(|limits| limits.clients.get(&client.name)) {
                changed |= client.limit(*limits);
            }
        }
        changed
    }
}

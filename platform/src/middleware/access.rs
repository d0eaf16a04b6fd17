//! Who may call, and how often: what the [`gate`](super::gate) of every route asks.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use docket_contract::TenantLimits;
use tokio_util::sync::CancellationToken;

use super::rate_limit::RateLimits;
use crate::tenant::Tenant;
use crate::tokens::{Issuer, Pace};

/// What a gate asks, for all routes the same.
#[derive(Debug)]
pub struct Access {
    /// Whose clients may call.
    pub tenant: Arc<Tenant>,
    /// Whose tokens are accepted; none where keys are, or nothing is asked for.
    pub issuer: Option<Issuer>,
    /// How often.
    pub rate_limits: RateLimits,
    /// Time until the first byte of an answer, unless a route reads a large body.
    pub deadline: Duration,
    /// Cancelled once the server takes no new requests: another has taken its place.
    pub draining: CancellationToken,
}

impl Access {
    /// Begins to fetch the keys of an issuer of tokens, for which it needs a Tokio runtime.
    ///
    /// # Errors
    /// When the issuer of the tenant makes no sense.
    pub fn new(tenant: Arc<Tenant>, deadline: Duration, pace: Pace) -> anyhow::Result<Self> {
        let jwt = tenant.jwt.clone();
        Ok(Self {
            issuer: jwt.map(|jwt| Issuer::new(jwt, pace)).transpose()?,
            rate_limits: RateLimits::new(tenant.limits.rate_limit),
            deadline,
            draining: CancellationToken::new(),
            tenant,
        })
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

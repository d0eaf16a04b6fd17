//! How often a client may call: GCRA, one atomic a request. Every answer tells what is left, in the
//! headers of draft-ietf-httpapi-ratelimit-headers-10.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::response::Response;
use docket_contract::RateLimit;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use http::{HeaderName, HeaderValue};
use parking_lot::RwLock;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// The limits of all clients, as far as this pod has a share in them.
#[derive(Debug)]
pub struct RateLimits(RwLock<Shares>);

#[derive(Debug, Default)]
struct Shares {
    of_tenant: Option<RateLimit>,
    pods: Option<NonZeroU32>,
    by_client: HashMap<String, Limiter>,
}

impl RateLimits {
    /// Limits of `of_tenant` that let everything pass until [`share`](Self::share) says how many pods
    /// there are.
    pub fn new(of_tenant: Option<RateLimit>) -> Self {
        Self(RwLock::new(Shares {
            of_tenant,
            ..Shares::default()
        }))
    }

    /// Gives each of `clients` this pod's part of the limit, unless that is what it has; returns whether it is
    /// something else. Without a word on the limit it stays as it is. What a client has spent it has spent: of
    /// its new burst as large a part is left as of the one before.
    pub fn share<'a>(
        &self,
        clients: impl Iterator<Item = &'a str>,
        pods: NonZeroU32,
        of_tenant: Option<Option<RateLimit>>,
    ) -> bool {
        let mut shares = self.0.write();
        let of_tenant = of_tenant.unwrap_or(shares.of_tenant);
        if shares.of_tenant == of_tenant && shares.pods == Some(pods) {
            return false;
        }
        let limiter = |name, limit| {
            let limiter = Limiter::new(quota(limit, pods), DefaultClock::default());
            if let Some(before) = shares.by_client.get(name) {
                limiter.go_on_from(before);
            }
            limiter
        };
        let by_client =
            clients.filter_map(|name| Some((name.to_owned(), limiter(name, of_tenant?))));
        *shares = Shares {
            by_client: by_client.collect(),
            of_tenant,
            pods: Some(pods),
        };
        true
    }

    /// What `client` finds; none where nothing is limited.
    pub(crate) fn take(&self, client: &str) -> Option<Taken> {
        let shares = self.0.read();
        shares.by_client.get(client).map(Limiter::take)
    }
}

/// One pod's part: a Service spreads connections evenly.
fn quota(limit: RateLimit, pods: NonZeroU32) -> Quota {
    let part = |of: NonZeroU32| NonZeroU32::new(of.get() / pods).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(part(limit.requests_per_second)).allow_burst(part(limit.burst))
}

/// What may still come from one client.
#[derive(Debug)]
struct Limiter<C: Clock = DefaultClock> {
    bucket: RateLimiter<NotKeyed, InMemoryState, C, StateInformationMiddleware>,
    quota: Quota,
    policy: HeaderValue,
}

/// What a request found.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Time until one like it is let through; none when this one is.
    pub(crate) wait: Option<Duration>,
    left: u32,
    policy: HeaderValue,
    /// Seconds until as many as ever are left.
    full_in: u64,
}

impl<C: Clock + Clone> Limiter<C> {
    fn new(quota: Quota, clock: C) -> Self {
        let burst = quota.burst_size();
        let window = seconds_of(quota, burst.get()).max(1);
        let policy = format!("\"default\";q={burst};w={window}");
        Self {
            bucket: RateLimiter::direct_with_clock(quota, clock).with_middleware(),
            quota,
            policy: HeaderValue::try_from(policy).expect("digits and ASCII"),
        }
    }

    /// Begins with as large a part of the burst as is left `before`.
    fn go_on_from(&self, before: &Self) {
        let all = u64::from(before.quota.burst_size().get());
        // The look takes one itself.
        let left = before.bucket.check();
        let left = left.map_or(0, |state| u64::from(state.remaining_burst_capacity()) + 1);
        let burst = self.quota.burst_size().get();
        let kept = u64::from(burst) * left / all;
        let spent = burst - u32::try_from(kept).unwrap_or(burst).min(burst);
        if let Some(spent) = NonZeroU32::new(spent) {
            // It is no more than the burst of a bucket that is full.
            let _ = self.bucket.check_n(spent);
        }
    }

    fn take(&self) -> Taken {
        let (wait, left) = match self.bucket.check() {
            Ok(state) => (None, state.remaining_burst_capacity()),
            Err(refused) => (Some(refused.wait_time_from(self.bucket.clock().now())), 0),
        };
        let spent = self.quota.burst_size().get().saturating_sub(left);
        Taken {
            wait,
            left,
            policy: self.policy.clone(),
            full_in: seconds_of(self.quota, spent),
        }
    }
}

/// Whole seconds in which `requests` come back.
fn seconds_of(quota: Quota, requests: u32) -> u64 {
    let time = quota.replenish_interval().saturating_mul(requests);
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

impl Taken {
    pub(crate) fn tell(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(POLICY, self.policy);
        let left = format!("\"default\";r={};t={}", self.left, self.full_in);
        if let Ok(left) = HeaderValue::try_from(left) {
            headers.insert(LEFT, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).expect("not zero")
    }

    fn limiter(per_second: u32, burst: u32) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let limit = RateLimit {
            requests_per_second: number(per_second),
            burst: number(burst),
        };
        (Limiter::new(quota(limit, number(1)), clock.clone()), clock)
    }

    #[test]
    fn a_burst_passes_the_next_request_waits_and_time_gives_it_back() {
        let (limiter, clock) = limiter(10, 3);
        for left in [2, 1, 0] {
            let taken = limiter.take();
            assert_eq!((taken.wait, taken.left), (None, left));
        }
        let refused = limiter.take();
        assert_eq!(refused.wait, Some(Duration::from_millis(100)));
        assert_eq!(refused.left, 0);
        clock.advance(Duration::from_millis(100));
        assert!(limiter.take().wait.is_none());
        assert!(limiter.take().wait.is_some());
    }

    #[test]
    fn what_is_left_is_told_as_the_draft_has_it() {
        let (limiter, _) = limiter(1000, 2000);
        let mut response = Response::default();
        limiter.take().tell(&mut response);
        let headers = response.headers();
        assert_eq!(headers["ratelimit-policy"], "\"default\";q=2000;w=2");
        assert_eq!(headers["ratelimit"], "\"default\";r=1999;t=1");
    }

    #[test]
    fn pods_share_a_limit_and_each_lets_at_least_one_request_through() {
        let limit = RateLimit {
            requests_per_second: number(10),
            burst: number(1),
        };
        let one = quota(limit, number(3));
        assert_eq!(one.burst_size(), number(1));
        assert_eq!(one, Quota::per_second(number(3)).allow_burst(number(1)));
        assert_eq!(quota(limit, number(50)), Quota::per_second(number(1)));
    }

    #[test]
    fn one_client_never_uses_up_what_another_has() {
        let limits = RateLimits::new(Some(RateLimit {
            requests_per_second: number(1),
            burst: number(1),
        }));
        assert!(
            limits.take("globex").is_none(),
            "not known yet: nothing is limited"
        );
        limits.share(["globex", "initech"].into_iter(), number(1), None);
        assert!(limits.take("globex").expect("limited").wait.is_none());
        assert!(limits.take("globex").expect("limited").wait.is_some());
        assert!(limits.take("initech").expect("limited").wait.is_none());
    }

    #[test]
    fn a_share_that_stays_the_same_is_not_given_out_anew() {
        let limit = |burst| {
            Some(RateLimit {
                requests_per_second: number(1),
                burst: number(burst),
            })
        };
        let limits = RateLimits::new(limit(1));
        let share = |pods, of_tenant| limits.share(["globex"].into_iter(), number(pods), of_tenant);
        assert!(share(1, None));
        assert!(limits.take("globex").expect("limited").wait.is_none());
        assert!(!share(1, None) && !share(1, Some(limit(1))));
        assert!(limits.take("globex").expect("limited").wait.is_some());
        assert!(share(1, Some(limit(5))) && share(2, None));
        assert!(limits.take("globex").expect("limited").wait.is_some());
        assert!(share(2, Some(None)));
        assert!(limits.take("globex").is_none(), "nothing is limited");
    }

    #[test]
    fn another_number_of_pods_brings_no_client_a_new_burst() {
        let limits = RateLimits::new(Some(RateLimit {
            requests_per_second: number(1),
            burst: number(100),
        }));
        let clients = ["globex", "initech"];
        let share = |pods| limits.share(clients.into_iter(), number(pods), None);
        let left = |client| limits.take(client).expect("limited").left;
        assert!(share(1));
        for _ in 0..60 {
            left("globex");
        }
        assert!(share(2));
        assert_eq!(left("globex"), 19, "of 20, which are two fifths of 50");
        assert_eq!(left("initech"), 49, "it had spent nothing");
        assert!(share(1) && share(2) && share(1));
        assert!((36..=40).contains(&left("globex")), "not a hundred");
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_what_time_brought_passes(
            per_second in 1_u32..50, burst in 1_u32..50, steps in prop::collection::vec(0_u64..300, 1..200),
        ) {
            let (limiter, clock) = limiter(per_second, burst);
            let (mut passed, mut millis) = (0_u64, 0);
            for step in steps {
                clock.advance(Duration::from_millis(step));
                millis += step;
                passed += u64::from(limiter.take().wait.is_none());
                let most = u64::from(burst) + u64::from(per_second) * millis / 1000;
                prop_assert!(passed <= most + 1, "{passed} in {millis} ms");
            }
        }
    }
}

//! Only the holder of the Lease writes.
//!
//! The algorithm is that of client-go's leaderelection: a Lease counts as abandoned when it has not
//! been seen to change for its duration, by the clock of the one who looks.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};

const NAME: &str = "docket-operator";
/// How long a Lease holds without being renewed.
const DURATION: Duration = Duration::from_secs(10);
/// How often it is renewed, and looked at by those who wait.
const INTERVAL: Duration = Duration::from_secs(2);
/// When the holder gives up renewing; before others may take over.
const DEADLINE: Duration = Duration::from_secs(7);

/// The Lease, as seen by one process.
#[derive(Clone)]
pub struct Leadership {
    api: Api<Lease>,
    identity: String,
}

impl Leadership {
    /// The Lease in `namespace`, to be held under the name `identity`.
    #[must_use]
    pub fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            identity,
        }
    }

    /// Waits until the Lease is ours.
    pub async fn acquire(&self) {
        let mut seen: Option<(LeaseSpec, Instant)> = None;
        loop {
            match self.attempt(&mut seen).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "the Lease cannot be read or written; trying again")
                }
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Renews the Lease for as long as that works; resolves when it is lost.
    pub async fn keep(&self) {
        let mut renewed = Instant::now();
        while renewed.elapsed() < DEADLINE {
            tokio::time::sleep(INTERVAL).await;
            match tokio::time::timeout(INTERVAL, self.renew()).await {
                Ok(Ok(true)) => renewed = Instant::now(),
                Ok(Ok(false)) => return,
                Ok(Err(error)) => tracing::warn!(%error, "the Lease could not be renewed"),
                Err(_) => tracing::warn!("the Lease could not be renewed in time"),
            }
        }
    }

    /// Gives the Lease up, so that another may take it at once.
    pub async fn release(&self) {
        let released = async {
            let Some(lease) = self.api.get_opt(NAME).await? else {
                return Ok(());
            };
            if holder(&lease) == Some(&self.identity) {
                self.write(lease, None).await?;
            }
            Ok::<(), kube::Error>(())
        };
        if let Ok(Err(error)) = tokio::time::timeout(INTERVAL, released).await {
            tracing::warn!(%error, "the Lease could not be released; it runs out by itself");
        }
    }

    async fn attempt(&self, seen: &mut Option<(LeaseSpec, Instant)>) -> kube::Result<bool> {
        let Some(lease) = self.api.get_opt(NAME).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(NAME.into()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.spec(Some(&self.identity), None)),
            };
            return won(self.api.create(&PostParams::default(), &lease).await);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let unchanged_for = match seen {
            Some((before, since)) if *before == spec => since.elapsed(),
            _ => {
                *seen = Some((spec, Instant::now()));
                Duration::ZERO
            }
        };
        match holder(&lease) {
            Some(other) if *other != self.identity && unchanged_for < DURATION => Ok(false),
            _ => won(self.write(lease, Some(&self.identity)).await),
        }
    }

    async fn renew(&self) -> kube::Result<bool> {
        match self.api.get_opt(NAME).await? {
            Some(lease) if holder(&lease) == Some(&self.identity) => {
                won(self.write(lease, Some(&self.identity)).await)
            }
            _ => Ok(false),
        }
    }

    /// The resource version in `lease` makes the write fail when somebody else was faster.
    async fn write(&self, mut lease: Lease, holder: Option<&String>) -> kube::Result<Lease> {
        lease.spec = Some(self.spec(holder, lease.spec.as_ref()));
        self.api.replace(NAME, &PostParams::default(), &lease).await
    }

    fn spec(&self, holder: Option<&String>, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let same = before.is_some_and(|spec| spec.holder_identity.as_ref() == holder);
        let transitions = before
            .and_then(|spec| spec.lease_transitions)
            .unwrap_or_default();
        LeaseSpec {
            holder_identity: holder.cloned(),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: before
                .filter(|_| same)
                .and_then(|spec| spec.acquire_time.clone())
                .or(Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(if same { transitions } else { transitions + 1 }),
            ..LeaseSpec::default()
        }
    }
}

fn holder(lease: &Lease) -> Option<&String> {
    lease
        .spec
        .as_ref()?
        .holder_identity
        .as_ref()
        .filter(|holder| !holder.is_empty())
}

/// A write that lost against another one is no error: the Lease is just not ours.
fn won(result: kube::Result<Lease>) -> kube::Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

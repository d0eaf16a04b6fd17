//! Only the holder of the Lease writes.
//!
//! The algorithm is that of client-go's leaderelection: a Lease counts as abandoned when it has not
//! been seen to change for its duration, by the clock of the one who looks.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use sha2::{Digest as _, Sha256};

use crate::leadership::fence::Fence;

/// Longest name that an object may have.
const LONGEST_NAME: usize = 253;

/// Name of the Lease of those who care for `namespaces`, or for all where none is named: operators that watch
/// others do not wait for each other.
#[must_use]
pub fn lease_name(namespaces: &[String]) -> String {
    let operator = docket_crds::names::OPERATOR;
    if namespaces.is_empty() {
        return operator.to_owned();
    }
    let watched = namespaces.join(".");
    let name = format!("{operator}-{watched}");
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let hash = hex::encode(Sha256::digest(watched));
    format!("{operator}-{}", &hash[..16])
}

/// How long what concerns a Lease takes.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long a Lease holds without being renewed.
    pub duration: Duration,
    /// How often it is renewed.
    pub renewal: Duration,
    /// How often those who wait look at it.
    pub look: Duration,
    /// From the start of the last renewal until the holder stops writing. What is left of
    /// `duration` is for requests that are still under way, and for clocks that differ.
    pub deadline: Duration,
    /// Longest wait for an answer.
    pub answer: Duration,
}

/// After `kill -9` another operator works in less than 15 s, and after SIGTERM in less than 3 s.
pub const TIMING: Timing = Timing {
    duration: Duration::from_secs(10),
    renewal: Duration::from_secs(2),
    look: Duration::from_secs(1),
    deadline: Duration::from_secs(7),
    answer: Duration::from_secs(2),
};

/// The Lease, as seen by one process.
#[derive(Clone)]
pub struct Leadership {
    api: Api<Lease>,
    name: String,
    identity: String,
    fence: Fence,
    timing: Timing,
}

/// The Lease as it was when it was last seen to change.
struct Seen {
    spec: LeaseSpec,
    since: Duration,
}

impl Leadership {
    /// The Lease `name` in `namespace`, to be held under the name `identity`; `fence` is open for as long as
    /// that allows writing.
    #[must_use]
    pub fn new(
        client: Client,
        (namespace, name): (&str, String),
        identity: String,
        fence: Fence,
        timing: Timing,
    ) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name,
            identity,
            fence,
            timing,
        }
    }

    /// Waits until the Lease is ours; `stand_by` is called when another was seen to renew it.
    pub async fn acquire(&self, stand_by: impl Fn()) {
        let mut seen: Option<Seen> = None;
        loop {
            let start = self.fence.now();
            let attempt = self.attempt(&mut seen, &stand_by);
            match tokio::time::timeout(self.timing.answer, attempt).await {
                Ok(Ok(true)) => return self.fence.hold(start + self.timing.deadline),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the Lease cannot be read or written; trying again")
                }
                Err(_) => tracing::warn!("the API server does not answer; trying again"),
            }
            tokio::time::sleep(self.timing.look).await;
        }
    }

    /// Renews the Lease for as long as that works; resolves when it is lost.
    pub async fn keep(&self) {
        tokio::select! {
            () = self.renew_until_taken() => self.fence.shut_now(),
            () = self.fence.passed() => {}
        }
    }

    async fn renew_until_taken(&self) {
        loop {
            tokio::time::sleep(self.timing.renewal).await;
            // Counted from the start: others may see the renewal long before we get the answer.
            let start = self.fence.now();
            match tokio::time::timeout(self.timing.answer, self.renew()).await {
                Ok(Ok(true)) => {
                    if !self.fence.extend(start + self.timing.deadline) {
                        return;
                    }
                }
                Ok(Ok(false)) => return,
                Ok(Err(error)) => tracing::warn!(%error, "the Lease could not be renewed"),
                Err(_) => tracing::warn!("the Lease could not be renewed in time"),
            }
        }
    }

    /// Stops writing and gives the Lease up, so that another may take it at once.
    pub async fn release(&self) {
        self.fence.shut_now();
        let released = async {
            let Some(lease) = self.api.get_opt(&self.name).await? else {
                return Ok(());
            };
            if holder(&lease) == Some(&self.identity) {
                self.write(lease, None).await?;
            }
            Ok::<(), kube::Error>(())
        };
        match tokio::time::timeout(self.timing.answer, released).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the Lease could not be released; it runs out by itself")
            }
            Err(_) => tracing::warn!("the Lease could not be released; it runs out by itself"),
        }
    }

    async fn attempt(&self, seen: &mut Option<Seen>, stand_by: &impl Fn()) -> kube::Result<bool> {
        let Some(lease) = self.api.get_opt(&self.name).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(self.name.clone()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.spec(Some(&self.identity), None)),
            };
            return won(self.api.create(&PostParams::default(), &lease).await);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let now = self.fence.now();
        let unchanged_for = match seen {
            Some(before) if before.spec == spec => now.saturating_sub(before.since),
            before => {
                if before.is_some() && holder(&lease).is_some() {
                    stand_by();
                }
                *before = Some(Seen { spec, since: now });
                Duration::ZERO
            }
        };
        match holder(&lease) {
            Some(other) if *other != self.identity && unchanged_for < self.timing.duration => {
                Ok(false)
            }
            _ => won(self.write(lease, Some(&self.identity)).await),
        }
    }

    async fn renew(&self) -> kube::Result<bool> {
        match self.api.get_opt(&self.name).await? {
            Some(lease) if holder(&lease) == Some(&self.identity) => {
                won(self.write(lease, Some(&self.identity)).await)
            }
            _ => Ok(false),
        }
    }

    /// The resource version in `lease` makes the write fail when somebody else was faster.
    async fn write(&self, mut lease: Lease, holder: Option<&String>) -> kube::Result<Lease> {
        lease.spec = Some(self.spec(holder, lease.spec.as_ref()));
        self.api
            .replace(&self.name, &PostParams::default(), &lease)
            .await
    }

    fn spec(&self, holder: Option<&String>, before: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let same = before.is_some_and(|spec| spec.holder_identity.as_ref() == holder);
        let transitions = before
            .and_then(|spec| spec.lease_transitions)
            .unwrap_or_default();
        LeaseSpec {
            holder_identity: holder.cloned(),
            lease_duration_seconds: i32::try_from(self.timing.duration.as_secs()).ok(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use http::{Method, Request, Response, StatusCode};
    use kube::client::Body;
    use serde_json::{Value, json};
    use tower::service_fn;

    const SHORT: Timing = Timing {
        duration: Duration::from_millis(400),
        renewal: Duration::from_millis(50),
        look: Duration::from_millis(20),
        deadline: Duration::from_millis(250),
        answer: Duration::from_millis(150),
    };

    #[test]
    fn a_lease_is_named_after_what_is_watched_however_much_that_is() {
        let name = |namespaces: &[&str]| {
            let namespaces: Vec<_> = namespaces.iter().map(ToString::to_string).collect();
            lease_name(&namespaces)
        };
        assert_eq!(name(&[]), "docket-operator");
        assert_eq!(name(&["acme"]), "docket-operator-acme");
        assert_eq!(name(&["acme", "globex"]), "docket-operator-acme.globex");
        let [long, other] = ["a", "b"].map(|it| it.repeat(63));
        let many = [long.as_str(); 4];
        let others = [long.as_str(), &long, &long, &other];
        assert!(name(&many).len() <= LONGEST_NAME);
        assert_ne!(name(&many), name(&others));
    }

    /// An API server that knows one Lease.
    #[derive(Clone, Default)]
    struct Server {
        lease: Arc<Mutex<Option<Value>>>,
        silent: Arc<Mutex<bool>>,
    }

    impl Server {
        fn held_by(holder: &str) -> Self {
            let server = Self::default();
            server.put(
                json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": lease_name(&[]), "namespace": "n", "resourceVersion": "1"},
                "spec": {"holderIdentity": holder, "leaseTransitions": 3}}),
            );
            server
        }

        fn put(&self, lease: Value) {
            *self.lease.lock().expect("no panic") = Some(lease);
        }

        fn lease(&self) -> Value {
            self.lease
                .lock()
                .expect("no panic")
                .clone()
                .unwrap_or_default()
        }

        fn change(&self, field: &str, value: Value) {
            let mut lease = self.lease();
            lease["spec"][field] = value;
            let version = lease["metadata"]["resourceVersion"].as_str();
            let version: u64 = version.and_then(|it| it.parse().ok()).unwrap_or_default();
            lease["metadata"]["resourceVersion"] = (version + 1).to_string().into();
            self.put(lease);
        }

        fn fall_silent(&self) {
            *self.silent.lock().expect("no panic") = true;
        }

        async fn answer(self, request: Request<Body>) -> Response<Body> {
            if *self.silent.lock().expect("no panic") {
                std::future::pending::<()>().await;
            }
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await.expect("a body");
            let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
            let (status, answer) = match (parts.method, self.lease()) {
                (Method::GET, Value::Null) => refusal(StatusCode::NOT_FOUND, "NotFound"),
                (Method::GET, lease) => (StatusCode::OK, lease),
                (_, before) => {
                    let lease: Value = serde_json::from_slice(&body).expect("JSON");
                    if version(&before) == version(&lease) {
                        self.put(lease.clone());
                        self.change("seen", Value::Null);
                        (StatusCode::OK, self.lease())
                    } else {
                        refusal(StatusCode::CONFLICT, "Conflict")
                    }
                }
            };
            Response::builder()
                .status(status)
                .body(Body::from(answer.to_string().into_bytes()))
                .expect("a response")
        }

        fn leadership(&self) -> Leadership {
            let server = self.clone();
            let service = service_fn(move |request| {
                let server = server.clone();
                async move { Ok::<_, Infallible>(server.answer(request).await) }
            });
            let client = Client::new(service, "default");
            Leadership::new(
                client,
                ("n", lease_name(&[])),
                "us".into(),
                Fence::shut(),
                SHORT,
            )
        }
    }

    fn refusal(status: StatusCode, reason: &str) -> (StatusCode, Value) {
        let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
            "message": reason, "code": status.as_u16()});
        (status, body)
    }

    async fn acquired(leadership: &Leadership) -> Duration {
        let start = Instant::now();
        leadership.acquire(|| {}).await;
        start.elapsed()
    }

    #[tokio::test]
    async fn a_lease_that_nobody_has_or_that_was_given_up_is_taken_at_once() {
        for server in [Server::default(), Server::held_by("")] {
            let us = server.leadership();
            assert!(acquired(&us).await < SHORT.duration);
            assert_eq!(server.lease()["spec"]["holderIdentity"], "us");
            assert_eq!(us.fence.check(), Ok(()));
        }
    }

    #[tokio::test]
    async fn a_lease_is_taken_from_another_only_when_it_has_not_changed_for_its_duration() {
        let server = Server::held_by("other");
        let us = server.leadership();
        assert!(acquired(&us).await >= SHORT.duration);
        assert_eq!(server.lease()["spec"]["leaseTransitions"], 4);
    }

    #[tokio::test]
    async fn one_that_waits_stands_by_once_it_saw_the_holder_renew() {
        let server = Server::held_by("other");
        let us = server.leadership();
        let stood_by = Mutex::new(None);
        let renewing = async {
            for number in 0..20 {
                tokio::time::sleep(SHORT.duration / 4).await;
                server.change("leaseTransitions", number.into());
            }
        };
        tokio::select! {
            () = us.acquire(|| *stood_by.lock().expect("no panic") = Some(())) => panic!("it was renewed"),
            () = renewing => {}
        }
        assert_eq!(*stood_by.lock().expect("no panic"), Some(()));
        assert!(us.fence.check().is_err());
    }

    #[tokio::test]
    async fn a_holder_that_cannot_renew_stops_writing_before_another_may_begin() {
        let server = Server::default();
        let us = server.leadership();
        let start = Instant::now();
        acquired(&us).await;
        server.fall_silent();
        us.keep().await;
        assert!(us.fence.check().is_err());
        let took = start.elapsed();
        assert!(took >= SHORT.deadline && took < SHORT.duration, "{took:?}");
    }

    #[tokio::test]
    async fn a_holder_that_renews_goes_on_writing() {
        let server = Server::default();
        let us = server.leadership();
        acquired(&us).await;
        assert!(
            tokio::time::timeout(SHORT.duration * 2, us.keep())
                .await
                .is_err(),
            "it was lost"
        );
        assert_eq!(us.fence.check(), Ok(()));
    }

    #[tokio::test]
    async fn a_holder_whose_lease_another_took_stops_writing_at_its_next_renewal() {
        let server = Server::default();
        let us = server.leadership();
        acquired(&us).await;
        server.change("holderIdentity", "other".into());
        us.keep().await;
        assert!(us.fence.check().is_err());
        assert_eq!(server.lease()["spec"]["holderIdentity"], "other");
    }

    #[tokio::test]
    async fn a_lease_that_is_given_up_is_nobodys_and_its_holder_writes_no_more() {
        let server = Server::default();
        let us = server.leadership();
        acquired(&us).await;
        us.release().await;
        assert!(us.fence.check().is_err());
        assert_eq!(server.lease()["spec"]["holderIdentity"], Value::Null);
    }
}

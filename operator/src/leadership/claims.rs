//! Which operator cares for a namespace, said in the namespace itself: operators of several releases have Leases
//! of their own, and would not see each other otherwise.
//!
//! Who has rights in a few namespaces claims each of them with a Lease in it, held by the name of the Lease by which
//! that operator works. Who watches all namespaces claims none, and looks for claims of others.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client, ResourceExt};

/// Name of the Lease with which a namespace is claimed.
pub const CLAIM: &str = "docket-operator-claim";

/// How long a claim holds without being renewed.
const HOLDS: Duration = Duration::from_secs(60);

/// How often claims are renewed and looked for.
pub const ROUND: Duration = Duration::from_secs(15);

/// How often one who waits looks again.
const LOOK: Duration = Duration::from_secs(2);

/// A namespace that another operator cares for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The namespace.
    pub namespace: String,
    /// Namespace and name of the Lease by which the other one works.
    pub by: String,
}

/// The namespaces that one operator cares for.
#[derive(Clone)]
pub struct Claims {
    client: Client,
    namespaces: Vec<String>,
    /// Namespace and name of the Lease by which it works.
    holder: String,
    /// How often it looks again while it waits.
    look: Duration,
}

impl Claims {
    /// Those of `namespaces`, or of all where there is none, for the operator that works by the Lease `holder`.
    #[must_use]
    pub fn new(client: Client, namespaces: &[String], holder: String) -> Self {
        Self {
            client,
            namespaces: namespaces.to_vec(),
            holder,
            look: LOOK,
        }
    }

    /// Waits until no other operator cares for any of them; says meanwhile which does.
    pub async fn acquire(&self) {
        let mut said = Vec::new();
        loop {
            match self.round().await {
                Ok(claimed) if claimed.is_empty() => return,
                Ok(claimed) if claimed == said => {}
                Ok(claimed) => {
                    tell(&claimed, "waits until it does no more");
                    said = claimed;
                }
                Err(error) => {
                    tracing::warn!(%error, "claims of namespaces cannot be read or written; trying again")
                }
            }
            tokio::time::sleep(self.look).await;
        }
    }

    /// Renews the claims for as long as it is polled, and says if another operator comes to care for one.
    pub async fn keep(self) {
        let mut said = Vec::new();
        loop {
            tokio::time::sleep(ROUND).await;
            match self.round().await {
                Ok(claimed) if claimed == said => {}
                Ok(claimed) => {
                    tell(
                        &claimed,
                        "goes on, too: what one writes the other may write back",
                    );
                    said = claimed;
                }
                Err(error) => tracing::warn!(%error, "claims of namespaces cannot be renewed"),
            }
        }
    }

    /// Claims what nobody else does; returns what others do.
    async fn round(&self) -> kube::Result<Vec<Claimed>> {
        let now = Timestamp::now();
        if self.namespaces.is_empty() {
            let leases: Api<Lease> = Api::all(self.client.clone());
            let claims = ListParams::default().fields(&format!("metadata.name={CLAIM}"));
            let claims = leases.list(&claims).await?;
            let others = claims
                .iter()
                .filter_map(|lease| self.of_another(lease, now));
            return Ok(others.collect());
        }
        let mut others = Vec::new();
        for namespace in &self.namespaces {
            others.extend(self.claim(namespace, now).await?);
        }
        Ok(others)
    }

    async fn claim(&self, namespace: &str, now: Timestamp) -> kube::Result<Option<Claimed>> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), namespace);
        let spec = LeaseSpec {
            holder_identity: Some(self.holder.clone()),
            lease_duration_seconds: i32::try_from(HOLDS.as_secs()).ok(),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        };
        let written = match leases.get_opt(CLAIM).await? {
            Some(lease) => {
                if let Some(claimed) = self.of_another(&lease, now) {
                    return Ok(Some(claimed));
                }
                let lease = Lease {
                    spec: Some(spec),
                    ..lease
                };
                leases.replace(CLAIM, &PostParams::default(), &lease).await
            }
            None => {
                let metadata = ObjectMeta {
                    name: Some(CLAIM.into()),
                    ..ObjectMeta::default()
                };
                let lease = Lease {
                    metadata,
                    spec: Some(spec),
                };
                leases.create(&PostParams::default(), &lease).await
            }
        };
        written.map(|_| None)
    }

    /// The claim `lease`, if another operator renews it.
    fn of_another(&self, lease: &Lease, now: Timestamp) -> Option<Claimed> {
        let spec = lease.spec.as_ref()?;
        let by = spec.holder_identity.clone()?;
        let renewed = spec.renew_time.as_ref()?.0;
        let holds = now.duration_since(renewed).unsigned_abs() < HOLDS;
        (by != self.holder && holds).then(|| Claimed {
            namespace: lease.namespace().unwrap_or_default(),
            by,
        })
    }
}

fn tell(claimed: &[Claimed], consequence: &str) {
    for Claimed { namespace, by } in claimed {
        tracing::error!(
            k8s.namespace.name = namespace,
            by,
            "another operator cares for the tenants of this namespace; this one {consequence}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use http::{Method, Request, Response, StatusCode};
    use kube::client::Body;
    use serde_json::{Value, json};
    use tower::service_fn;

    /// An API server that knows the claim of the namespace `acme`.
    #[derive(Clone, Default)]
    struct Server {
        lease: Arc<Mutex<Option<Value>>>,
        looks: Arc<AtomicUsize>,
    }

    impl Server {
        fn claimed(by: &str, ago: Duration) -> Self {
            let renewed = Timestamp::now() - ago;
            let lease = json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": CLAIM, "namespace": "acme", "resourceVersion": "1"},
                "spec": {"holderIdentity": by, "renewTime": MicroTime(renewed)},
            });
            let server = Self::default();
            *server.lease.lock().expect("no panic") = Some(lease);
            server
        }

        fn holder(&self) -> Option<String> {
            let lease = self.lease.lock().expect("no panic").clone()?;
            lease["spec"]["holderIdentity"].as_str().map(Into::into)
        }

        fn answer(&self, method: &Method, path: &str, body: &[u8]) -> (StatusCode, Value) {
            self.looks.fetch_add(1, Ordering::SeqCst);
            let mut lease = self.lease.lock().expect("no panic");
            if *method == Method::GET && path == "/apis/coordination.k8s.io/v1/leases" {
                let items: Vec<_> = lease.iter().cloned().collect();
                let list = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "LeaseList", "metadata": {}, "items": items});
                return (StatusCode::OK, list);
            }
            if *method != Method::GET {
                let mut written: Value = serde_json::from_slice(body).expect("JSON");
                written["metadata"]["namespace"] = "acme".into();
                *lease = Some(written);
            }
            match &*lease {
                Some(lease) => (StatusCode::OK, lease.clone()),
                None => {
                    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                        "message": "not found", "reason": "NotFound", "code": 404});
                    (StatusCode::NOT_FOUND, status)
                }
            }
        }

        fn claims(&self, namespaces: &[&str]) -> Claims {
            let server = self.clone();
            let service = service_fn(move |request: Request<Body>| {
                let server = server.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect_bytes().await.expect("a body");
                    let (status, answer) = server.answer(&parts.method, parts.uri.path(), &body);
                    let answer = Body::from(answer.to_string().into_bytes());
                    let response = Response::builder().status(status).body(answer);
                    Ok::<_, Infallible>(response.expect("a response"))
                }
            });
            let namespaces: Vec<String> = namespaces.iter().map(ToString::to_string).collect();
            let client = Client::new(service, "default");
            Claims::new(client, &namespaces, "ours/docket-operator".into())
        }
    }

    #[tokio::test]
    async fn a_namespace_is_claimed_unless_another_operator_renews_its_claim() {
        let others = "theirs/docket-operator";
        let old = HOLDS + Duration::from_secs(1);
        for (server, ours) in [
            (Server::default(), true),
            (
                Server::claimed("ours/docket-operator", Duration::ZERO),
                true,
            ),
            (Server::claimed(others, old), true),
            (Server::claimed(others, Duration::ZERO), false),
        ] {
            let claimed = server.claims(&["acme"]).round().await.expect("an answer");
            assert_eq!(claimed.is_empty(), ours, "{claimed:?}");
            let holder = if ours { "ours/docket-operator" } else { others };
            assert_eq!(server.holder().as_deref(), Some(holder));
        }
    }

    #[tokio::test]
    async fn who_watches_all_namespaces_sees_claims_of_others_and_makes_none() {
        let server = Server::claimed("theirs/docket-operator-acme", Duration::ZERO);
        let claimed = server.claims(&[]).round().await.expect("an answer");
        let expected = Claimed {
            namespace: "acme".into(),
            by: "theirs/docket-operator-acme".into(),
        };
        assert_eq!(claimed, [expected]);
        let nobodys = Server::default();
        assert_eq!(nobodys.claims(&[]).round().await.expect("an answer"), []);
        assert_eq!(nobodys.holder(), None);
    }

    #[tokio::test]
    async fn who_comes_second_waits_until_the_first_is_gone() {
        let server = Server::claimed("theirs/docket-operator", Duration::ZERO);
        let mut claims = server.claims(&["acme"]);
        claims.look = Duration::from_millis(1);
        let acquired = tokio::spawn(async move { claims.acquire().await });
        while server.looks.load(Ordering::SeqCst) < 3 {
            assert!(!acquired.is_finished(), "it did not wait");
            tokio::task::yield_now().await;
        }
        *server.lease.lock().expect("no panic") = None;
        acquired.await.expect("no panic");
        assert_eq!(server.holder().as_deref(), Some("ours/docket-operator"));
    }
}

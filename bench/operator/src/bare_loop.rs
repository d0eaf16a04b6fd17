//! What a reconcile is measured against: a loop that creates the same objects and runs the same SQL,
//! and decides, compares, remembers and tells nothing.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use docket_fault_matrix::{ADMIN, Gateway, Kubernetes, PASSWORD, Written};
use docket_schema::{Applied, Identity, Owner, Provision};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Method;
use serde::Deserialize;
use sqlx::AssertSqlSafe;
use tokio::sync::Mutex as Shared;

use crate::operator::Operator;
use crate::stage::{DATABASE, Stage};
use crate::tenants::{self, Address, CLIENT, PARALLEL, PATIENCE, TENANT, Tally};
use crate::watch::follow;

const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";

/// A verifier of some password: the loop is spared the making of one.
const VERIFIER: &str = "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$/nBqYXNc4qPV7fwPmZsYIVNuP/ng0vlxSTrNcyFlBrA=:Bb0rpQrxvTGnGDHAiLBmrtmLXSgPSTBBBUAxbTpBDsY=";

/// The children of one tenant as the operator creates them, to be made for others.
pub struct Children {
    writes: Vec<Written>,
    namespace: String,
    uid: String,
}

/// Lets the operator make the tenant `number` and notes what it creates.
///
/// # Errors
/// The tenant does not get ready.
pub async fn learn(
    stage: &Stage,
    binary: &Path,
    concurrency: u16,
    number: usize,
) -> Result<Children> {
    let gateway = Gateway::start(stage.plane.as_operator()?, None, Arc::default()).await?;
    let namespace = tenants::namespace(number);
    gateway.copy(&namespace);
    tenants::furnish(stage, number..number + 1, &Address::direct(stage)).await?;
    let operator = Operator::through(stage, binary, concurrency, &gateway.url()).await?;
    tenants::apply(stage, number..number + 1).await?;
    operator.stop();
    let tenant = stage.kubernetes().get(&tenants::path(&namespace)).await?;
    let uid = tenant.and_then(|tenant| Some(tenant["metadata"]["uid"].as_str()?.to_owned()));
    let writes: Vec<Written> = gateway
        .copies()
        .into_iter()
        .filter(|write| write.method == Method::POST && !write.path.contains("/events"))
        .collect();
    if writes.len() < 8 {
        bail!("only {} children were created: {writes:?}", writes.len());
    }
    Ok(Children {
        writes,
        namespace,
        uid: uid.context("the tenant is gone")?,
    })
}

impl Children {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.writes.len()
    }

    /// Creates the children of the tenant `uid` in `namespace`, one after the other; `sql` comes after
    /// the Secrets with what was issued, as in a reconcile.
    async fn create(
        &self,
        kubernetes: &Kubernetes,
        namespace: &str,
        uid: &str,
        sql: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let (first, rest) = self.writes.split_at(2);
        for write in first {
            self.write(kubernetes, write, namespace, uid).await?;
        }
        sql.await?;
        for write in rest {
            self.write(kubernetes, write, namespace, uid).await?;
        }
        Ok(())
    }

    async fn write(
        &self,
        kubernetes: &Kubernetes,
        write: &Written,
        namespace: &str,
        uid: &str,
    ) -> Result<()> {
        let aimed = |text: &str| {
            text.replace(&self.namespace, namespace)
                .replace(&self.uid, uid)
        };
        let request = kubernetes
            .request(write.method.clone(), &aimed(&write.path))
            .header("content-type", &write.content_type)
            .body(aimed(&write.body));
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{}: {status}: {text}", write.path);
        }
        Ok(())
    }
}

/// What is looked at of a Deployment.
#[derive(Debug, Deserialize)]
struct Deployment {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    namespace: String,
}

#[derive(Debug, Deserialize)]
struct Spec {
    replicas: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    available_replicas: u32,
}

/// Creates the tenants, their children and what they need in Postgres, `concurrency` tenants at a
/// time, and waits until all pods serve; when those of each did, since the first tenant was created.
///
/// # Errors
/// Kubernetes or Postgres refuses.
pub async fn run(
    stage: &Stage,
    children: &Children,
    numbers: Range<usize>,
    concurrency: u16,
) -> Result<Vec<Duration>> {
    let version = stage.version(DEPLOYMENTS).await?;
    let count = numbers.len();
    let tally = Mutex::new(Tally::new(count, "served, by the loop"));
    let heed = |deployment: Deployment| match deployment.status.available_replicas
        == deployment.spec.replicas
    {
        true => {
            let mut tally = tally.lock().expect("no holder panics");
            tally.note(deployment.metadata.namespace)
        }
        false => ControlFlow::Continue(()),
    };
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    let apply = async {
        stream::iter(numbers)
            .map(async |number| {
                let namespace = tenants::namespace(number);
                let uid = tenants::create(stage, &namespace).await?;
                send.send((namespace, uid))?;
                anyhow::Ok(())
            })
            .buffer_unordered(PARALLEL)
            .try_collect::<()>()
            .await?;
        drop(send);
        anyhow::Ok(())
    };
    let queue = Shared::new(receive);
    let workers = futures::future::try_join_all((0..concurrency).map(|_| async {
        let mut session = stage.postgres.login(DATABASE, ADMIN, PASSWORD).await?;
        let kubernetes = stage.plane.as_operator()?;
        loop {
            let next = queue.lock().await.recv().await;
            let Some((namespace, uid)) = next else {
                return anyhow::Ok(());
            };
            let sql = provision(&mut session, &namespace, &uid);
            children.create(&kubernetes, &namespace, &uid, sql).await?;
        }
    }));
    let watch = follow(stage.kubernetes(), DEPLOYMENTS, &version, heed);
    let work = async { tokio::try_join!(apply, workers, watch) };
    let patience = PATIENCE + Duration::from_millis(500) * u32::try_from(count)?;
    let outcome = tokio::time::timeout(patience, work).await;
    outcome.with_context(|| format!("the loop is not done after {patience:?}"))??;
    Ok(tally.into_inner().expect("no holder panics").times)
}

async fn provision(session: &mut sqlx::PgConnection, namespace: &str, uid: &str) -> Result<()> {
    let identity = Identity::of(namespace, TENANT, CLIENT);
    let owner = Owner {
        namespace: namespace.to_owned(),
        tenant: TENANT.to_owned(),
        tenant_uid: uid.to_owned(),
        client: CLIENT.to_owned(),
    };
    sqlx::query(docket_schema::READ_CLIENTS)
        .bind([identity.schema.clone()])
        .fetch_all(&mut *session)
        .await?;
    let script = docket_schema::provision(&Provision {
        identity: &identity,
        owner: &owner,
        verifier: VERIFIER,
        credential_hash: "of the loop",
        workloads: &["documents"],
        applied: &Applied::default(),
        content: "{}",
        connections: 256,
    });
    sqlx::raw_sql(AssertSqlSafe(script))
        .execute(session)
        .await?;
    Ok(())
}

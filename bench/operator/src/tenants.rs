//! The tenants: each in a namespace of its own, with one client and two pods.

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use docket_crds::ConditionType;
use docket_fault_matrix::{ADMIN, BUCKET, KEY, PASSWORD};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::progress;
use crate::stage::{DATABASE, Stage};
use crate::watch::follow;

/// Name of each tenant.
pub const TENANT: &str = "acme";
/// Its client.
pub const CLIENT: &str = "globex";
/// The collection of all tenants.
pub const ALL: &str = "/apis/docket.dev/v1alpha1/documenttenants";

/// Requests of the load at a time.
pub const PARALLEL: usize = 32;
/// What is broken takes for ever.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Where the database listens, as the tenants' Secrets say.
#[derive(Clone, Debug)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    /// The server's own socket, with nothing between.
    pub fn direct(stage: &Stage) -> Self {
        Self {
            host: stage.postgres.folder().display().to_string(),
            port: 5432,
        }
    }
}

/// The namespace of the tenant `number`.
pub fn namespace(number: usize) -> String {
    format!("t-{number:05}")
}

/// Path of the tenant in `namespace`.
pub fn path(namespace: &str) -> String {
    format!("/apis/docket.dev/v1alpha1/namespaces/{namespace}/documenttenants/{TENANT}")
}

/// Makes namespaces and the Secrets that tenants name, and waits until all is quiet.
///
/// # Errors
/// The API server refuses.
pub async fn furnish(stage: &Stage, numbers: Range<usize>, database: &Address) -> Result<()> {
    progress(&format!("making {} namespaces", numbers.len()));
    let kubernetes = stage.kubernetes();
    let made = stream::iter(numbers).map(async |number| {
        let namespace = namespace(number);
        let object = json!({"metadata": {"name": namespace}});
        kubernetes.create("/api/v1/namespaces", &object).await?;
        let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
        let secret =
            |name: &str, entries: Value| json!({"metadata": {"name": name}, "stringData": entries});
        let admin = json!({
            "host": database.host, "port": database.port.to_string(), "dbname": DATABASE,
            "username": ADMIN, "password": PASSWORD, "sslmode": "disable",
        });
        kubernetes
            .create(&secrets, &secret("docket-database", admin))
            .await?;
        let s3 = json!({"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": KEY});
        kubernetes
            .create(&secrets, &secret("docket-s3", s3))
            .await?;
        anyhow::Ok(())
    });
    made.buffer_unordered(PARALLEL).try_collect::<()>().await?;
    stage.quiet(Duration::from_secs(2)).await
}

/// Creates the tenant in `namespace`, with every default that the schema has; its uid.
///
/// # Errors
/// The API server refuses.
pub async fn create(stage: &Stage, namespace: &str) -> Result<String> {
    let tenant = json!({
        "apiVersion": "docket.dev/v1alpha1",
        "kind": "DocumentTenant",
        "metadata": {"name": TENANT},
        "spec": {
            "clients": [{"name": CLIENT}],
            "database": {"secretRef": {"name": "docket-database"}},
            "workloads": {"documents": {"storage": {"s3": {"bucket": BUCKET, "endpoint": stage.objects.endpoint(),
                "secretRef": {"name": "docket-s3"}}}}},
        },
    });
    let collection = format!("/apis/docket.dev/v1alpha1/namespaces/{namespace}/documenttenants");
    let created = stage.kubernetes().create(&collection, &tenant).await?;
    let uid = created["metadata"]["uid"].as_str();
    Ok(uid.context("an object has a uid")?.to_owned())
}

/// What is looked at of a tenant.
#[derive(Debug, Deserialize)]
pub struct Tenant {
    pub metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
pub struct Metadata {
    pub namespace: String,
    pub generation: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    observed_generation: i64,
}

impl Tenant {
    /// Whether it is ready as its newest spec asks.
    pub fn is_ready(&self) -> bool {
        let Self { metadata, status } = self;
        let current = metadata.generation;
        status.observed_generation == current
            && status.conditions.iter().any(|it| {
                it.kind == ConditionType::Ready.as_str()
                    && it.status == "True"
                    && it.observed_generation == current
            })
    }
}

/// Counts namespaces in which something has come about, and says so now and then.
pub struct Tally {
    start: Instant,
    total: usize,
    done: HashSet<String>,
    /// When each came about, since the start.
    pub times: Vec<Duration>,
    word: &'static str,
}

impl Tally {
    pub fn new(total: usize, word: &'static str) -> Self {
        Self {
            start: Instant::now(),
            total,
            done: HashSet::new(),
            times: Vec::new(),
            word,
        }
    }

    /// Notes a namespace; breaks when it was the last.
    pub fn note(&mut self, namespace: String) -> ControlFlow<()> {
        if self.done.insert(namespace) {
            let took = self.start.elapsed();
            self.times.push(took);
            let count = self.times.len();
            if count.is_multiple_of((self.total / 10).max(1)) {
                let (total, word, seconds) = (self.total, self.word, took.as_secs_f64());
                progress(&format!("{count} of {total} {word} after {seconds:.1} s"));
            }
        }
        match self.times.len() == self.total {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// Creates the tenants and waits until all are ready; when each was, since the first was created.
///
/// # Errors
/// The API server refuses, or they do not get ready.
pub async fn apply(stage: &Stage, numbers: Range<usize>) -> Result<Vec<Duration>> {
    let version = stage.version(ALL).await?;
    let count = numbers.len();
    let tally = Mutex::new(Tally::new(count, "ready"));
    let heed = |tenant: Tenant| match tenant.is_ready() {
        true => tally
            .lock()
            .expect("no holder panics")
            .note(tenant.metadata.namespace),
        false => ControlFlow::Continue(()),
    };
    let create = async {
        stream::iter(numbers)
            .map(async |number| create(stage, &namespace(number)).await.map(drop))
            .buffer_unordered(PARALLEL)
            .try_collect::<()>()
            .await
    };
    let work = async { tokio::try_join!(create, follow(stage.kubernetes(), ALL, &version, heed)) };
    let patience = PATIENCE + Duration::from_millis(500) * u32::try_from(count)?;
    let outcome = tokio::time::timeout(patience, work).await;
    let tally = tally.into_inner().expect("no holder panics");
    match outcome {
        Ok(outcome) => outcome?,
        Err(_) => bail!(
            "{} of {count} tenants are ready after {patience:?}; {}",
            tally.times.len(),
            why_not(stage).await?
        ),
    };
    Ok(tally.times)
}

/// What one that is not ready says of itself.
async fn why_not(stage: &Stage) -> Result<String> {
    let tenants = stage.kubernetes().list(ALL).await?;
    let unready = tenants.into_iter().find(|tenant| {
        let read = serde_json::from_value(tenant.clone());
        read.is_ok_and(|tenant: Tenant| !tenant.is_ready())
    });
    Ok(unready.map_or_else(String::new, |it| {
        format!("{} says: {}", it["metadata"]["namespace"], it["status"])
    }))
}

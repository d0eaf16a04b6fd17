//! One change of one spec among many steady tenants.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::json;

use crate::stage::Stage;
use crate::tenants::{self, ALL, PATIENCE, Tenant};
use crate::watch::follow;

/// Pods of a tenant whose spec names no number.
const PODS: usize = 2;

/// What is looked at of a pod.
#[derive(Debug, Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

/// How long a change took.
pub struct Change {
    /// From the last pod being ready to the tenant being so.
    pub after_pods: Duration,
    /// From the change on.
    pub whole: Duration,
}

/// Gives the tenant `number` another image and waits until it is ready.
///
/// # Errors
/// It does not get ready.
pub async fn change(stage: &Stage, number: usize) -> Result<Change> {
    let kubernetes = stage.kubernetes();
    let namespace = tenants::namespace(number);
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let old: HashSet<String> = kubernetes
        .list(&pods)
        .await?
        .iter()
        .filter_map(|pod| Some(pod["metadata"]["name"].as_str()?.to_owned()))
        .collect();
    let (pods_version, version) = (stage.version(&pods).await?, stage.version(ALL).await?);
    let start = Instant::now();
    let image = json!({"spec": {"api": {"image": "docket.test/api-server:2"}}});
    let path = tenants::path(&namespace);
    let (new, last) = (Mutex::new(HashSet::new()), Mutex::new(start));
    let heed_pods = |pod: Pod| {
        let mut conditions = pod.status.conditions.iter();
        let ready = conditions.any(|it| it.kind == "Ready" && it.status == "True");
        let mut new = new.lock().expect("no holder panics");
        if ready && !old.contains(&pod.metadata.name) && new.insert(pod.metadata.name) {
            *last.lock().expect("no holder panics") = Instant::now();
        }
        match new.len() == PODS {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    // The first change of it is the one that we make: until then it is as ready as it was.
    let heed = |tenant: Tenant| match tenant.metadata.namespace == namespace
        && tenant.metadata.generation > 1
        && tenant.is_ready()
    {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let changed = async { kubernetes.merge(&path, &image).await.map(drop) };
    let work = async {
        tokio::try_join!(
            changed,
            follow(kubernetes, &pods, &pods_version, heed_pods),
            follow(kubernetes, ALL, &version, heed),
        )
    };
    let outcome = tokio::time::timeout(PATIENCE, work).await;
    outcome.with_context(|| format!("{namespace} is not ready again after {PATIENCE:?}"))??;
    let last = *last.lock().expect("no holder panics");
    Ok(Change {
        after_pods: last.elapsed(),
        whole: start.elapsed(),
    })
}

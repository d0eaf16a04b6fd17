use anyhow::{Context, Result};
use docket_crds::{labels, names};
use docket_e2e::node::limit_memory;
use docket_e2e::on_call::{WARNING, begins, ends};
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;

use crate::watch::Watch;

const MEMORY: &str = "DocketMemoryHigh";

/// Of the limit, when the alert is due: more than it asks for, with room for what comes and goes.
const SHARE: f64 = 0.87;

async fn pod(it: &Scenario) -> Result<Pod> {
    let ours = ListParams::default().labels(&labels::of_tenant(TENANT));
    let pods = it.objects.api::<Pod>().list(&ours).await?;
    pods.items.into_iter().next().context("a pod")
}

// No caller can bring a pod there, so the node gives it less than its spec says.
#[tokio::test]
async fn a_pod_whose_memory_is_nearly_full_is_told() {
    scenario(async |it| {
        it.ready(it.small_spec(&["globex"])).await?;
        let documents = it.documents("globex").await?;
        let mut watch = Watch::of(it).await?;
        let pod = pod(it).await?;
        let limit = |bytes: f64| limit_memory(&pod, names::API_CONTAINER, bytes as u64);
        let before = documents.gauge("memory_limit_bytes").await?;

        let nearly_full = async || {
            let used = documents.gauge("memory_working_set_bytes").await?;
            limit(used / SHARE)
        };
        watch
            .told_while(&[begins(MEMORY, WARNING)], nearly_full)
            .await?;

        limit(before)?;
        watch.told(&[ends(MEMORY, WARNING)]).await
    })
    .await;
}

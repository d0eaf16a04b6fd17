//! Pods that come and go under load. Run by itself: on a machine that other tests keep busy, a 503 is
//! the right answer now and then, and callers here never ask twice.

use std::process::Command;

use anyhow::{Result, ensure};
use docket_crds::DocumentTenant;
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use docket_e2e::traffic::Traffic;
use docket_e2e::wait::until;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::json;

const CALLERS: usize = 6;
/// Requests that show that traffic flows.
const FLOW: usize = 4 * CALLERS;

async fn traffic(it: &Scenario) -> Result<Traffic> {
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        callers.push(it.documents("globex").await?);
    }
    let traffic = Traffic::start(callers);
    traffic.flows(FLOW).await?;
    Ok(traffic)
}

async fn pods(it: &Scenario) -> Result<Vec<String>> {
    let ours = ListParams::default().labels("docket.dev/tenant=acme");
    let pods = it.objects.api::<Pod>().list(&ours).await?;
    Ok(pods.iter().map(ResourceExt::name_any).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_under_load_fails_no_request() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["api"]["replicas"] = json!(2);
        it.ready(spec).await?;
        let traffic = traffic(it).await?;
        let old = pods(it).await?;
        for command in ["restart", "status"] {
            let status = Command::new("kubectl")
                .args(["rollout", command, "deployment/acme-api"])
                .args(["--namespace", &it.namespace])
                .status()?;
            ensure!(status.success(), "kubectl rollout {command}: {status}");
        }
        until("the end of the old pods", async || {
            let left = pods(it).await?;
            let gone = left.iter().all(|pod| !old.contains(pod));
            Ok(gone.then_some(()).ok_or_else(|| format!("{left:?}")))
        })
        .await?;
        traffic.flows(FLOW).await?;
        let answered = traffic.all_went_well().await?;
        eprintln!("{answered} requests during a rollout");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_come_and_go_under_load_fail_no_request() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let traffic = traffic(it).await?;
        for replicas in [3, 1] {
            let patch = json!({"spec": {"api": {"replicas": replicas}}});
            it.objects.merge::<DocumentTenant>(TENANT, patch).await?;
            it.wait_ready().await?;
            until("the pods that are wanted", async || {
                let pods = pods(it).await?;
                let all = pods.len() == replicas;
                Ok(all.then_some(()).ok_or_else(|| format!("{pods:?}")))
            })
            .await?;
            traffic.flows(FLOW).await?;
        }
        let answered = traffic.all_went_well().await?;
        eprintln!("{answered} requests while replicas came and went");
        Ok(())
    })
    .await;
}

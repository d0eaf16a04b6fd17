use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use docket_crds::{labels, names};
use docket_e2e::documents::Documents;
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use docket_e2e::wait::until;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::json;

async fn pods(it: &Scenario) -> Result<Vec<Pod>> {
    let ours = ListParams::default().labels(&labels::of_tenant(TENANT));
    Ok(it.objects.api::<Pod>().list(&ours).await?.items)
}

#[tokio::test]
async fn both_replicas_serve_the_same_document() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["api"]["replicas"] = json!(2);
        it.ready(spec).await?;
        let key = it
            .objects
            .secret(&names::api_keys_secret(TENANT), "globex")
            .await?;
        let id = it
            .documents("globex")
            .await?
            .upload("shared.txt", b"shared")
            .await?;
        let pods = pods(it).await?;
        ensure!(pods.len() == 2, "{} pods", pods.len());
        for pod in pods {
            let address = pod
                .status
                .and_then(|status| status.pod_ip)
                .context("no address")?;
            let replica = Documents::at(&format!("http://{address}:8000"), "globex", &key)?;
            ensure!(replica.content(id).await? == b"shared");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn deleting_a_pod_loses_nothing() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let documents = it.documents("globex").await?;
        let mut stored = Vec::new();
        for number in 0..10 {
            let content = format!("document {number}").into_bytes();
            stored.push((
                documents.upload(&format!("{number}.txt"), &content).await?,
                content,
            ));
        }
        let before: BTreeSet<String> = pods(it).await?.iter().map(ResourceExt::name_any).collect();
        for pod in &before {
            it.objects.delete::<Pod>(pod).await?;
        }
        until("a pod that is new and ready", async || {
            let pods = pods(it).await?;
            let ready = pods
                .iter()
                .any(|pod| !before.contains(&pod.name_any()) && is_ready(pod));
            Ok(if ready {
                Ok(())
            } else {
                Err(format!("{} pods", pods.len()))
            })
        })
        .await?;
        it.wait_ready().await?;
        for (id, content) in stored {
            let read = until("the Service to know the new pod", async || {
                Ok(documents
                    .content(id)
                    .await
                    .map_err(|error| error.to_string()))
            })
            .await?;
            ensure!(read == content);
        }
        Ok(())
    })
    .await;
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

use docket_crds::{DocumentTenant, labels};
use docket_e2e::on_call::{PAGE, begins, ends};
use docket_e2e::scenario::{TENANT, scenario};
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kube::api::{DeleteParams, ListParams};
use serde_json::json;

use crate::watch::Watch;

const DOWN: &str = "DocketServiceDown";
const QUOTA: &str = "full";

#[tokio::test]
async fn a_tenant_whose_pods_cannot_start_is_told_of_once_its_silence_is_over() {
    scenario(async |it| {
        it.ready(it.small_spec(&["globex"])).await?;
        let mut watch = Watch::of(it).await?;
        let silence = watch.alertmanager.silence(&it.namespace).await?;
        let quota = json!({"metadata": {"name": QUOTA}, "spec": {"hard": {"pods": "0"}}});
        let quota: ResourceQuota = serde_json::from_value(quota)?;
        it.objects.create(&quota).await?;
        let ours = ListParams::default().labels(&labels::of_tenant(TENANT));
        let pods = it.objects.api::<Pod>();
        pods.delete_collection(&DeleteParams::default(), &ours)
            .await?;

        watch.fires_while((DOWN, PAGE), async || Ok(())).await?;
        let alertmanager = &watch.alertmanager;
        alertmanager
            .keeps_back(&it.namespace, DOWN, "silencedBy")
            .await?;
        watch.told(&[]).await?;
        watch.alertmanager.end_silence(&silence).await?;
        watch.told(&[begins(DOWN, PAGE)]).await?;

        it.objects.delete::<ResourceQuota>(QUOTA).await?;
        // Kubernetes tries again after a longer and longer while, unless what is wanted changes.
        let more = json!({"spec": {"api": {"replicas": 2}}});
        it.objects.merge::<DocumentTenant>(TENANT, more).await?;
        watch.told(&[ends(DOWN, PAGE)]).await
    })
    .await;
}

use anyhow::ensure;
use docket_crds::{ConditionType, DocumentTenant, PlannedAction, annotations, names};
use docket_e2e::scenario::{TENANT, scenario};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;

#[tokio::test]
async fn a_paused_tenant_serves_as_it_is_until_it_goes_on() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let before: Deployment = it.objects.get(&names::api_name(TENANT)).await?;
        let change = json!({"spec": {"paused": true, "api": {"replicas": 2}}});
        it.objects.merge::<DocumentTenant>(TENANT, change).await?;
        it.wait_condition(ConditionType::Ready, "Unknown", "Paused")
            .await?;
        let paused: Deployment = it.objects.get(&names::api_name(TENANT)).await?;
        ensure!(paused.spec == before.spec, "{:?}", paused.spec);
        it.documents("globex").await?.upload("a.txt", b"a").await?;

        let change = json!({"spec": {"paused": false}});
        it.objects.merge::<DocumentTenant>(TENANT, change).await?;
        it.wait_ready().await?;
        let after: Deployment = it.objects.get(&names::api_name(TENANT)).await?;
        ensure!(after.spec.and_then(|spec| spec.replicas) == Some(2));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_plan_says_what_a_change_would_do_and_does_nothing() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let before: Deployment = it.objects.get(&names::api_name(TENANT)).await?;
        let change = json!({"metadata": {"annotations": {annotations::PLAN: "true"}},
            "spec": {"clients": [{"name": "globex"}, {"name": "initech"}]}});
        it.objects.merge::<DocumentTenant>(TENANT, change).await?;
        let tenant = it
            .wait_condition(ConditionType::Ready, "Unknown", "Planned")
            .await?;
        let plan = tenant.status.and_then(|status| status.plan);
        let plan = plan.unwrap_or_default();
        let schema = plan.changes.first();
        ensure!(
            schema.is_some_and(|change| change.action == PlannedAction::Create
                && change.object.starts_with("schema ")),
            "{plan:?}"
        );
        let planned: Deployment = it.objects.get(&names::api_name(TENANT)).await?;
        ensure!(planned.metadata.resource_version == before.metadata.resource_version);

        let change = json!({"metadata": {"annotations": {annotations::PLAN: null}}});
        it.objects.merge::<DocumentTenant>(TENANT, change).await?;
        it.wait_ready().await?;
        it.documents("initech").await?.upload("a.txt", b"a").await?;
        Ok(())
    })
    .await;
}

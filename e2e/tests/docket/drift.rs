use std::time::{Duration, Instant};

use anyhow::ensure;
use docket_crds::{ConditionType, labels, names};
use docket_e2e::scenario::{TENANT, scenario};
use docket_e2e::story::told;
use docket_e2e::wait::until;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde_json::json;

/// Longest time in which a child may be other than the spec asks.
const REPAIR: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_child_that_somebody_changed_or_deleted_is_as_the_spec_asks_within_five_seconds() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let start = Instant::now();
        it.objects
            .merge::<Deployment>(
                &names::api_name(TENANT),
                json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}}),
            )
            .await?;
        it.objects
            .delete::<NetworkPolicy>(&names::api_name(TENANT))
            .await?;
        until("both children to be repaired", async || {
            let deployment: Deployment = it.objects.get(&names::api_name(TENANT)).await?;
            let pod = deployment.spec.and_then(|spec| spec.template.spec);
            let grace = pod.and_then(|pod| pod.termination_grace_period_seconds);
            let policy = it
                .objects
                .api::<NetworkPolicy>()
                .get_opt(&names::api_name(TENANT))
                .await?;
            Ok(match (grace, policy) {
                (Some(30), Some(_)) => Ok(()),
                (grace, policy) => Err(format!("{grace:?}, a policy: {}", policy.is_some())),
            })
        })
        .await?;
        ensure!(start.elapsed() < REPAIR, "{:?}", start.elapsed());
        told(it, "DriftRepaired", |note| {
            note.contains("changed Deployment/acme-api")
                && note.contains("spec.template.spec.terminationGracePeriodSeconds")
                && !note.starts_with("Somebody")
        })
        .await?;
        it.wait_ready().await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn labels_and_annotations_of_others_stay_on_a_child() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let theirs = json!({"metadata": {"labels": {"team": "blue"}, "annotations": {"example.com/a": "b"}}});
        it.objects.merge::<Service>(&names::api_name(TENANT), theirs).await?;
        it.objects
            .merge::<Service>(&names::api_name(TENANT), json!({"spec": {"sessionAffinity": "ClientIP"}, "metadata": {"labels": {labels::TENANT: "other"}}}))
            .await?;
        until("the label to be ours again", async || {
            let service: Service = it.objects.get(&names::api_name(TENANT)).await?;
            let labels = service.metadata.labels.unwrap_or_default();
            let ours = labels.get(labels::TENANT).map(String::as_str) == Some("acme");
            let theirs = labels.get("team").map(String::as_str) == Some("blue");
            Ok(if ours && theirs { Ok(()) } else { Err(format!("{labels:?}")) })
        })
        .await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_object_of_somebody_else_in_the_place_of_a_child_is_never_taken_over() {
    scenario(async |it| {
        let theirs: Service = serde_json::from_value(json!({
            "metadata": {"name": &names::api_name(TENANT)}, "spec": {"ports": [{"port": 9999}]},
        }))?;
        it.objects.create(&theirs).await?;
        it.create(it.spec(&["globex"])).await?;
        it.wait_condition(ConditionType::ApiAvailable, "False", "NameTaken")
            .await?;
        let service: Service = it.objects.get(&names::api_name(TENANT)).await?;
        let ports = service.spec.and_then(|spec| spec.ports).unwrap_or_default();
        ensure!(ports.len() == 1 && ports[0].port == 9999, "{ports:?}");
        Ok(())
    })
    .await;
}

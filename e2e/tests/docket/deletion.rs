use anyhow::{Result, ensure};
use docket_crds::{ConditionType, labels, names};
use docket_e2e::bucket;
use docket_e2e::database::{connect, connect_as_admin, traces_of};
use docket_e2e::scenario::{Scenario, TENANT, scenario, schema_of};
use docket_e2e::wait::until;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;

async fn children(it: &Scenario) -> Result<usize> {
    let ours = ListParams::default().labels(&labels::of_tenant(TENANT));
    Ok(it.objects.api::<Secret>().list(&ours).await?.items.len()
        + it.objects.api::<ConfigMap>().list(&ours).await?.items.len()
        + it.objects.api::<Service>().list(&ours).await?.items.len()
        + it.objects
            .api::<ServiceAccount>()
            .list(&ours)
            .await?
            .items
            .len()
        + it.objects
            .api::<NetworkPolicy>()
            .list(&ours)
            .await?
            .items
            .len()
        + it.objects
            .api::<PodDisruptionBudget>()
            .list(&ours)
            .await?
            .items
            .len()
        + it.objects
            .api::<Deployment>()
            .list(&ours)
            .await?
            .items
            .len()
        + it.objects.api::<Pod>().list(&ours).await?.items.len())
}

async fn all_children_go(it: &Scenario) -> Result<()> {
    until("the end of all children", async || {
        let left = children(it).await?;
        Ok(if left == 0 {
            Ok(())
        } else {
            Err(format!("{left} are left"))
        })
    })
    .await
}

#[tokio::test]
async fn retain_keeps_schema_and_content_and_takes_the_login() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex"])).await?;
        let schema = schema_of(&tenant, "globex")?;
        let password = it
            .objects
            .secret(&names::credentials_secret(TENANT), "globex")
            .await?;
        let id = it
            .documents("globex")
            .await?
            .upload("kept.txt", b"kept")
            .await?;
        ensure!(children(it).await? > 0, "the label of children has changed");

        it.delete_tenant().await?;
        all_children_go(it).await?;
        let mut admin = connect_as_admin(&it.client).await?;
        let traces = traces_of(&mut admin, &schema).await?;
        ensure!(
            traces == (true, true, Some("Retained".into())),
            "{traces:?}"
        );
        ensure!(bucket::count(&it.client, &schema).await? == 1);
        ensure!(
            connect(&it.client, &schema, &password).await.is_err(),
            "the role can still log in"
        );

        // A tenant of the same name does not silently get the old data ...
        it.create(it.spec(&["globex"])).await?;
        let tenant = it
            .wait_condition(ConditionType::DatabaseReady, "False", "RetainedDataFound")
            .await?;
        let message = docket_crds::condition(&tenant, ConditionType::Ready)
            .unwrap()
            .message
            .clone();
        ensure!(message.contains("adopt: true"), "{message}");
        // ... it has to ask for it.
        let adopt = json!({"spec": {"clients": [{"name": "globex", "adopt": true}]}});
        it.objects
            .merge::<docket_crds::DocumentTenant>(TENANT, adopt)
            .await?;
        it.wait_ready().await?;
        ensure!(it.documents("globex").await?.content(id).await? == b"kept");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn delete_drops_schema_role_and_content() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["database"]["deletionPolicy"] = json!("Delete");
        let tenant = it.ready(spec.clone()).await?;
        let schema = schema_of(&tenant, "globex")?;
        let id = it
            .documents("globex")
            .await?
            .upload("gone.txt", b"gone")
            .await?;
        ensure!(bucket::count(&it.client, &schema).await? == 1);

        it.delete_tenant().await?;
        all_children_go(it).await?;
        ensure!(bucket::count(&it.client, &schema).await? == 0);
        let mut admin = connect_as_admin(&it.client).await?;
        let traces = traces_of(&mut admin, &schema).await?;
        ensure!(traces == (false, false, None), "{traces:?}");

        // A tenant of the same name starts from nothing.
        it.ready(spec).await?;
        let documents = it.documents("globex").await?;
        let status = documents.get(&format!("documents/{id}")).await?.status();
        ensure!(status == 404, "{status}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_tenant_that_never_became_anything_goes_at_once() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["database"]["secretRef"]["name"] = json!("forgotten");
        it.create(spec).await?;
        it.wait_condition(ConditionType::Ready, "False", "SecretNotFound")
            .await?;
        it.delete_tenant().await
    })
    .await;
}

#[tokio::test]
async fn a_namespace_that_is_deleted_takes_its_tenant_along_though_the_secrets_go_first() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["database"]["deletionPolicy"] = json!("Delete");
        let tenant = it.ready(spec).await?;
        let schema = schema_of(&tenant, "globex")?;
        // A namespace's end deletes its objects in any order; this is the worst.
        for secret in ["docket-database", "docket-s3"] {
            it.objects.delete::<Secret>(secret).await?;
        }
        let namespaces: Api<Namespace> = Api::all(it.client.clone());
        namespaces
            .delete(&it.namespace, &DeleteParams::background())
            .await?;
        until("the end of the namespace", async || {
            let namespace = namespaces.get_opt(&it.namespace).await?;
            Ok(match namespace {
                None => Ok(()),
                Some(namespace) => Err(format!("{:?}", namespace.status)),
            })
        })
        .await?;
        let mut admin = connect_as_admin(&it.client).await?;
        let traces = traces_of(&mut admin, &schema).await?;
        ensure!(traces == (false, false, None), "{traces:?}");
        Ok(())
    })
    .await;
}

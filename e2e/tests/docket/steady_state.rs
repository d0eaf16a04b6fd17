use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use docket_crds::DocumentTenant;
use docket_e2e::database::connect_as_admin;
use docket_e2e::scenario::{Scenario, TENANT, scenario, schema_of};
use docket_e2e::story::told;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::ListParams;
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

/// How long nothing may be written.
const STEADY: Duration = Duration::from_secs(60);

type Versions = BTreeMap<String, String>;

async fn add<K>(versions: &mut Versions, it: &Scenario) -> Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    for object in it.objects.api::<K>().list(&ListParams::default()).await? {
        let name = format!("{}/{}", K::kind(&()), object.name_any());
        versions.insert(
            name,
            object.resource_version().context("no resource version")?,
        );
    }
    Ok(())
}

/// Resource versions of all that the operator writes, and the transaction that last wrote the
/// registry's row.
async fn versions(it: &Scenario, schema: &str) -> Result<Versions> {
    let mut versions = Versions::new();
    add::<DocumentTenant>(&mut versions, it).await?;
    add::<Secret>(&mut versions, it).await?;
    add::<ConfigMap>(&mut versions, it).await?;
    add::<Service>(&mut versions, it).await?;
    add::<ServiceAccount>(&mut versions, it).await?;
    add::<NetworkPolicy>(&mut versions, it).await?;
    add::<PodDisruptionBudget>(&mut versions, it).await?;
    add::<Deployment>(&mut versions, it).await?;
    add::<Event>(&mut versions, it).await?;
    let mut admin = connect_as_admin(&it.client).await?;
    let row: String =
        sqlx::query_scalar("SELECT xmin::text FROM docket.clients WHERE schema_name = $1")
            .bind(schema)
            .fetch_one(&mut admin)
            .await?;
    versions.insert("the registry's row".into(), row);
    Ok(versions)
}

#[tokio::test]
async fn a_steady_tenant_causes_no_write_in_a_minute_even_when_it_is_looked_at() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex"])).await?;
        told(it, "Ready", |_| true).await?;
        let schema = schema_of(&tenant, "globex")?;
        // An annotation is no change of the spec, and makes the operator look.
        let look = json!({"metadata": {"annotations": {"example.com/look": "now"}}});
        it.objects.merge::<DocumentTenant>(TENANT, look).await?;
        let before = versions(it, &schema).await?;
        // Nothing can be waited for where nothing may happen.
        tokio::time::sleep(STEADY).await;
        let after = versions(it, &schema).await?;
        ensure!(before == after, "before {before:#?}\nafter {after:#?}");
        Ok(())
    })
    .await;
}

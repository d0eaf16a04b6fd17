use anyhow::{Result, ensure};
use docket_crds::{ConditionType, DocumentTenant, names};
use docket_e2e::bucket;
use docket_e2e::database::{connect, connect_as_admin, traces_of};
use docket_e2e::scenario::{Scenario, TENANT, scenario, schema_of};
use docket_e2e::wait::until;
use serde_json::{Value, json};

async fn set_clients(it: &Scenario, clients: Value) -> Result<()> {
    it.objects
        .merge::<DocumentTenant>(TENANT, json!({"spec": {"clients": clients}}))
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_client_that_is_added_is_served_and_the_others_keep_keys_and_documents() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let globex = it.documents("globex").await?;
        let id = globex.upload("kept.txt", b"kept").await?;
        set_clients(it, json!([{"name": "globex"}, {"name": "initech"}])).await?;
        it.wait_ready().await?;
        let initech = it.documents("initech").await?;
        let other = initech.upload("new.txt", b"new").await?;
        ensure!(initech.content(other).await? == b"new");
        ensure!(globex.content(id).await? == b"kept");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_removed_loses_its_login_and_gets_its_documents_back_only_by_adopt() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex", "initech"])).await?;
        let schema = schema_of(&tenant, "initech")?;
        let password = it
            .objects
            .secret(&names::credentials_secret(TENANT), "initech")
            .await?;
        let id = it
            .documents("initech")
            .await?
            .upload("kept.txt", b"kept")
            .await?;
        connect(&it.client, &schema, &password).await?;

        set_clients(it, json!([{"name": "globex"}])).await?;
        let mut admin = connect_as_admin(&it.client).await?;
        until("the schema is retained", async || {
            let traces = traces_of(&mut admin, &schema).await?;
            let retained = traces == (true, true, Some("Retained".to_owned()));
            Ok(if retained {
                Ok(())
            } else {
                Err(format!("{traces:?}"))
            })
        })
        .await?;
        ensure!(
            connect(&it.client, &schema, &password).await.is_err(),
            "the role can still log in"
        );
        let tenant = it.wait_ready().await?;
        ensure!(
            schema_of(&tenant, "initech").is_err(),
            "{:?}",
            tenant.status
        );

        set_clients(it, json!([{"name": "globex"}, {"name": "initech"}])).await?;
        it.wait_condition(ConditionType::Ready, "False", "RetainedDataFound")
            .await?;
        set_clients(
            it,
            json!([{"name": "globex"}, {"name": "initech", "adopt": true}]),
        )
        .await?;
        it.wait_ready().await?;
        ensure!(it.documents("initech").await?.content(id).await? == b"kept");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_removed_under_the_policy_delete_leaves_nothing() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex", "initech"]);
        spec["database"]["deletionPolicy"] = json!("Delete");
        let tenant = it.ready(spec).await?;
        let schema = schema_of(&tenant, "initech")?;
        let kept = it
            .documents("globex")
            .await?
            .upload("kept.txt", b"kept")
            .await?;
        it.documents("initech")
            .await?
            .upload("gone.txt", b"gone")
            .await?;

        set_clients(it, json!([{"name": "globex"}])).await?;
        let mut admin = connect_as_admin(&it.client).await?;
        until("the schema is gone", async || {
            let traces = traces_of(&mut admin, &schema).await?;
            Ok(if traces == (false, false, None) {
                Ok(())
            } else {
                Err(format!("{traces:?}"))
            })
        })
        .await?;
        ensure!(bucket::count(&it.client, &schema).await? == 0);
        it.wait_ready().await?;
        ensure!(it.documents("globex").await?.content(kept).await? == b"kept");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_schema_that_somebody_dropped_is_reported_and_not_replaced_by_an_empty_one() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex"])).await?;
        let schema = schema_of(&tenant, "globex")?;
        let mut admin = connect_as_admin(&it.client).await?;
        let drop = format!("DROP SCHEMA {schema} CASCADE");
        sqlx::raw_sql(sqlx::AssertSqlSafe(drop))
            .execute(&mut admin)
            .await?;
        let look = json!({"metadata": {"annotations": {"example.com/look": "now"}}});
        it.objects.merge::<DocumentTenant>(TENANT, look).await?;
        it.wait_condition(ConditionType::DatabaseReady, "False", "SchemaLost")
            .await?;
        Ok(())
    })
    .await;
}

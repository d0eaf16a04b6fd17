use anyhow::{Result, ensure};
use docket_crds::{ConditionType, names};
use docket_e2e::documents::Documents;
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use docket_e2e::wait::until;
use k8s_openapi::api::core::v1::Secret;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const NEXT: &str = "chosen-by-a-user-0123456789abcdef";

async fn change(it: &Scenario, entries: Value) -> Result<()> {
    let change = json!({"stringData": entries});
    it.objects
        .merge::<Secret>(&names::api_keys_secret(TENANT), change)
        .await?;
    Ok(())
}

async fn becomes(key: &Documents, status: StatusCode) -> Result<()> {
    until("the key's answer", async || {
        let answer = key.request(Method::GET, "documents").send().await;
        let seen = answer.map(|answer| answer.status());
        Ok(match seen {
            Ok(seen) if seen == status => Ok(()),
            seen => Err(format!("{seen:?}, not {status}")),
        })
    })
    .await
}

async fn opens(key: &Documents) -> Result<()> {
    let answer = key.get("documents").await?;
    ensure!(answer.status() == StatusCode::OK, "{}", answer.status());
    Ok(())
}

#[tokio::test]
async fn a_key_is_replaced_while_both_are_valid_and_one_that_cannot_be_a_key_is_named() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let old = it.documents("globex").await?;
        let next =
            Documents::of_service(&it.objects, &names::api_name(TENANT), "globex", NEXT).await?;

        change(it, json!({"globex.next": NEXT, "globex.bad": "short"})).await?;
        becomes(&next, StatusCode::OK).await?;
        opens(&old).await?;
        let tenant = it
            .wait_condition(ConditionType::CredentialsReady, "True", "KeysIgnored")
            .await?;
        let said = format!("{:?}", tenant.status);
        ensure!(said.contains("globex.bad (it must have 32"), "{said}");

        change(it, json!({"globex": NEXT})).await?;
        becomes(&old, StatusCode::FORBIDDEN).await?;
        opens(&next).await?;
        let last = json!({"data": {"globex.next": null, "globex.bad": null}});
        it.objects
            .merge::<Secret>(&names::api_keys_secret(TENANT), last)
            .await?;
        it.wait_condition(ConditionType::CredentialsReady, "True", "Issued")
            .await?;
        it.wait_ready().await?;
        opens(&next).await?;

        let without = json!({"data": {"globex": null}});
        it.objects
            .merge::<Secret>(&names::api_keys_secret(TENANT), without)
            .await?;
        becomes(&next, StatusCode::FORBIDDEN).await?;
        becomes(&it.documents("globex").await?, StatusCode::OK).await
    })
    .await;
}

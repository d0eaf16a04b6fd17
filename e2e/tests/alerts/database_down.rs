use anyhow::Context;
use docket_e2e::database::{let_in, shut_out};
use docket_e2e::on_call::{PAGE, begins, ends};
use docket_e2e::scenario::scenario;

use crate::watch::{Watch, ask};

const DOWN: &str = "DocketServiceDown";
const ERRORS: &str = "DocketErrorRateHigh";

#[tokio::test]
async fn while_a_tenant_is_down_what_follows_from_it_is_not_told() {
    scenario(async |it| {
        let tenant = it.ready(it.small_spec(&["globex"])).await?;
        let status = tenant.status.context("a status")?;
        let role = &status.clients.first().context("a client")?.role;
        let documents = it.documents("globex").await?;
        let mut watch = Watch::of(it).await?;

        shut_out(&it.client, role).await?;
        watch.told(&[begins(DOWN, PAGE)]).await?;
        watch
            .fires_while((ERRORS, PAGE), async || ask(&documents, 2, 503).await)
            .await?;
        let alertmanager = &watch.alertmanager;
        alertmanager
            .keeps_back(&it.namespace, ERRORS, "inhibitedBy")
            .await?;
        watch.told(&[]).await?;

        let_in(&it.client, role).await?;
        // What is still wrong is then told.
        let news = [ends(DOWN, PAGE), begins(ERRORS, PAGE)];
        watch.told(&news).await
    })
    .await;
}

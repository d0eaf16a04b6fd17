use docket_e2e::on_call::{WARNING, begins, ends};
use docket_e2e::scenario::scenario;
use serde_json::json;

use crate::watch::{Watch, ask};

const TRAFFIC: &str = "DocketTrafficLow";

#[tokio::test]
async fn little_traffic_is_told_of_a_tenant_that_asks_for_it() {
    scenario(async |it| {
        let mut spec = it.small_spec(&["globex"]);
        spec["alerts"] = json!({"minRequestsPerSecond": 1});
        it.ready(spec).await?;
        let documents = it.documents("globex").await?;
        let mut watch = Watch::of(it).await?;
        watch.told(&[begins(TRAFFIC, WARNING)]).await?;
        watch
            .told_while(&[ends(TRAFFIC, WARNING)], async || {
                ask(&documents, 50, 200).await
            })
            .await
    })
    .await;
}

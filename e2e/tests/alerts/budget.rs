use docket_e2e::database::{connect_as_admin, rename_table};
use docket_e2e::on_call::{PAGE, TICKET, begins, ends};
use docket_e2e::scenario::{scenario, schema_of};
use serde_json::json;

use crate::watch::{Watch, ask};

const BURN: &str = "DocketErrorBudgetBurn";

#[tokio::test]
async fn a_budget_that_burns_is_a_ticket_and_one_that_burns_fast_a_page() {
    scenario(async |it| {
        let mut spec = it.small_spec(&["globex", "initech"]);
        spec["objectives"] = json!([{"name": "availability", "target": "99.9"}]);
        let tenant = it.ready(spec).await?;
        let schema = schema_of(&tenant, "initech")?;
        let mut admin = connect_as_admin(&it.client).await?;
        let (well, broken) = (
            it.documents("globex").await?,
            it.documents("initech").await?,
        );
        // Refused before anything is looked up: the cheapest answer that is no failure.
        let refused = well.on_routes_of("initech");
        let mut watch = Watch::of(it).await?;

        rename_table(&mut admin, &schema, "document_metadata", "hidden").await?;
        ask(&well, 1, 200).await?;
        ask(&refused, 1, 403).await?;
        ask(&broken, 1, 500).await?;
        // Shares of series that are seconds old are rough.
        watch.counts(500, 8).await?;
        // The budget is a thousandth, and four are used of it: a ticket from one on, a page from six on.
        ask(&well, 250, 200).await?;
        ask(&broken, 1, 500).await?;
        watch.told(&[begins(BURN, TICKET)]).await?;
        // Twenty of it: few enough to be no share of failures that is told by itself.
        ask(&broken, 4, 500).await?;
        watch.told(&[begins(BURN, PAGE)]).await?;

        rename_table(&mut admin, &schema, "hidden", "document_metadata").await?;
        let mended = [ends(BURN, PAGE), ends(BURN, TICKET)];
        watch
            .told_while(&mended, async || ask(&refused, 1000, 403).await)
            .await
    })
    .await;
}

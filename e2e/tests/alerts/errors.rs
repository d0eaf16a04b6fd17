use docket_e2e::database::{connect_as_admin, rename_table};
use docket_e2e::on_call::{PAGE, WARNING, begins, ends};
use docket_e2e::scenario::{scenario, schema_of};

use crate::watch::{Watch, ask};

const ERRORS: &str = "DocketErrorRateHigh";
const DATABASE: &str = "DocketDatabaseErrors";

#[tokio::test]
async fn failures_are_a_warning_many_are_a_page_and_statements_that_fail_are_told_too() {
    scenario(async |it| {
        let tenant = it.ready(it.small_spec(&["globex", "initech"])).await?;
        let schema = schema_of(&tenant, "initech")?;
        let mut admin = connect_as_admin(&it.client).await?;
        let (well, broken) = (
            it.documents("globex").await?,
            it.documents("initech").await?,
        );
        let mut watch = Watch::of(it).await?;

        rename_table(&mut admin, &schema, "document_metadata", "hidden").await?;
        let warned = [begins(ERRORS, WARNING), begins(DATABASE, WARNING)];
        watch
            .told_while(&warned, async || {
                // One of thirteen.
                ask(&well, 12, 200).await?;
                ask(&broken, 1, 500).await
            })
            .await?;
        watch
            .told_while(&[begins(ERRORS, PAGE)], async || ask(&broken, 5, 500).await)
            .await?;

        rename_table(&mut admin, &schema, "hidden", "document_metadata").await?;
        let mended = [
            ends(ERRORS, PAGE),
            ends(ERRORS, WARNING),
            ends(DATABASE, WARNING),
        ];
        watch
            .told_while(&mended, async || {
                ask(&broken, 1, 200).await?;
                ask(&well, 200, 200).await
            })
            .await
    })
    .await;
}

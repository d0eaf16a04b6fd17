use anyhow::ensure;
use docket_e2e::database::connect_as_admin;
use docket_e2e::on_call::{WARNING, begins, ends};
use docket_e2e::scenario::{scenario, schema_of};
use futures::future::try_join_all;

use crate::slowness::locked;
use crate::watch::{Watch, ask, list};

const POOL: &str = "DocketPoolExhausted";

/// Twice as many requests as a client has connections to read with.
const AT_ONCE: usize = 8;

#[tokio::test]
async fn requests_that_find_no_connection_are_told_until_none_did_for_a_while() {
    scenario(async |it| {
        let tenant = it.ready(it.small_spec(&["globex", "initech"])).await?;
        let table = format!("{}.document_metadata", schema_of(&tenant, "initech")?);
        let mut admin = connect_as_admin(&it.client).await?;
        let (others, hasty) = (
            it.documents("globex").await?,
            it.documents("initech").await?,
        );
        let mut watch = Watch::of(it).await?;
        ask(&others, 1, 200).await?;
        watch.counts(200, 1).await?;

        // So many that the few which fail are no share of all.
        ask(&others, 300, 200).await?;
        locked(&mut admin, &table, 4.0, async {
            let answers = try_join_all((0..AT_ONCE).map(|_| list(&hasty))).await?;
            ensure!(answers.iter().any(|it| *it == 503), "{answers:?}");
            Ok(())
        })
        .await?;
        watch.told(&[begins(POOL, WARNING)]).await?;
        watch.told(&[ends(POOL, WARNING)]).await
    })
    .await;
}

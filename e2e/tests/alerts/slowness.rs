use std::future::Future;

use anyhow::Result;
use docket_e2e::database::connect_as_admin;
use docket_e2e::on_call::{PAGE, WARNING, begins, ends};
use docket_e2e::scenario::{scenario, schema_of};
use futures::future::try_join;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::watch::{Watch, ask};

const LATENCY: &str = "DocketLatencyHigh";
const DATABASE: &str = "DocketDatabaseSlow";

/// Keeps all others from `table` for `seconds`, and does `meanwhile` what has to wait for it.
pub async fn locked(
    admin: &mut PgConnection,
    table: &str,
    seconds: f64,
    meanwhile: impl Future<Output = Result<()>>,
) -> Result<()> {
    let mut lock = admin.begin().await?;
    let statement = format!("LOCK TABLE {table}");
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut *lock)
        .await?;
    let hold = async {
        let sleep = sqlx::query("SELECT pg_sleep($1)").bind(seconds);
        sleep.execute(&mut *lock).await?;
        Ok::<_, anyhow::Error>(lock.commit().await?)
    };
    try_join(hold, meanwhile).await?;
    Ok(())
}

#[tokio::test]
async fn slow_answers_are_a_warning_slower_ones_a_page_and_statements_that_wait_are_told_too() {
    scenario(async |it| {
        let tenant = it.ready(it.small_spec(&["globex", "initech"])).await?;
        let table = format!("{}.document_metadata", schema_of(&tenant, "initech")?);
        let mut admin = connect_as_admin(&it.client).await?;
        let (quick, slow) = (
            it.documents("globex").await?,
            it.documents("initech").await?,
        );
        let mut watch = Watch::of(it).await?;
        ask(&quick, 1, 200).await?;
        watch.counts(200, 1).await?;

        let warned = [begins(LATENCY, WARNING), begins(DATABASE, WARNING)];
        watch
            .told_while(&warned, async || {
                // One of ten, far from the two seconds of a page.
                ask(&quick, 27, 200).await?;
                locked(&mut admin, &table, 1.2, ask(&slow, 3, 200)).await
            })
            .await?;
        watch
            .told_while(&[begins(LATENCY, PAGE)], async || {
                locked(&mut admin, &table, 3.0, ask(&slow, 3, 200)).await
            })
            .await?;

        let mended = [
            ends(LATENCY, PAGE),
            ends(LATENCY, WARNING),
            ends(DATABASE, WARNING),
        ];
        watch
            .told_while(&mended, async || ask(&quick, 200, 200).await)
            .await
    })
    .await;
}

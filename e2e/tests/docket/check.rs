//! `docketctl check` against a tenant in the cluster.

use anyhow::{Result, ensure};
use docket_cli::arguments::Arguments;
use docket_cli::screen::Screen;
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use serde_json::Value;

/// Runs the checks; returns their page.
async fn check(it: &Scenario, flags: &str) -> Result<String> {
    let words = ["docketctl", "check", TENANT, "-n", &it.namespace]
        .into_iter()
        .chain(flags.split_whitespace());
    let arguments = Arguments::read("docketctl", words.map(Into::into))?;
    let mut pages = Vec::new();
    let result =
        docket_cli::run(arguments, &mut Screen::written(&mut pages, std::io::sink())).await;
    let page = String::from_utf8(pages)?;
    match result {
        Ok(()) => Ok(page),
        Err(problem) => anyhow::bail!("{problem}\n{page}"),
    }
}

#[tokio::test]
async fn a_tenant_passes_every_check_straight_and_through_the_api_server() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex", "initech"]);
        // Of many requests in a second not every trace is recorded, and a check skips what it cannot find.
        spec["telemetry"]["sampling"] = serde_json::json!({"ratio": "1"});
        it.ready(spec).await?;
        // Until every node knows where the Service leads.
        let documents = it.documents("globex").await?;
        let page = check(it, "--all --verbose").await?;
        ensure!(page.contains("0 failed, 0 skipped"), "{page}");
        ensure!(page.contains("at http://acme-api."), "{page}");
        ensure!(page.contains(" spans, "), "none was found: {page}");

        let page = check(it, "--upload --retrieve --errors --through-api-server").await?;
        ensure!(page.contains("0 failed, 0 skipped"), "{page}");
        ensure!(page.contains("the API server's proxy"), "{page}");

        let list: Value = documents.get("documents").await?.json().await?;
        ensure!(list["documents"] == serde_json::json!([]), "{list}");
        Ok(())
    })
    .await;
}

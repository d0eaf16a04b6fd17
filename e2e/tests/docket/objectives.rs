use anyhow::{Context, ensure};
use docket_crds::{ConditionType, DocumentTenant};
use docket_e2e::scenario::{TENANT, scenario};
use docket_e2e::wait::until;
use serde_json::json;

#[tokio::test]
async fn objectives_are_read_from_what_prometheus_scraped_of_the_pods() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["objectives"] = json!([
            {"name": "availability", "target": "99.9"},
            {"name": "latency", "target": "50", "threshold": "10s"},
            {"name": "stored", "target": "99.9", "workload": "documents"},
        ]);
        it.ready(spec).await?;
        let documents = it.documents("globex").await?;
        // A counter's first sample is where it starts: requests must come on either side of a scrape.
        let tenant: DocumentTenant = until("objectives are met", async || {
            documents.upload("a.txt", b"counted").await?;
            let tenant: DocumentTenant = it.objects.get(TENANT).await?;
            Ok(
                match docket_crds::condition(&tenant, ConditionType::ObjectivesMet) {
                    Some(found)
                        if docket_crds::is_true(found) && found.reason == "WithinBudget" =>
                    {
                        Ok(tenant)
                    }
                    found => Err(format!("{found:?}")),
                },
            )
        })
        .await?;
        let status = tenant.status.context("a status")?;
        ensure!(
            status.error_budget_remaining.as_deref() == Some("100"),
            "{status:?}"
        );
        for objective in &status.objectives {
            ensure!(
                objective.observed.as_deref() == Some("100"),
                "{objective:?}"
            );
            let windows: Vec<&str> = objective
                .burn_rates
                .iter()
                .map(|it| it.window.as_str())
                .collect();
            ensure!(windows == ["5m", "1h", "6h", "3d"], "{objective:?}");
        }
        Ok(())
    })
    .await;
}

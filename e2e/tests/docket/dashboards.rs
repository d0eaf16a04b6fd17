use std::time::Duration;

use anyhow::{Result, ensure};
use docket_crds::names;
use docket_e2e::client::client;
use docket_e2e::dashboards::queries;
use docket_e2e::database::{connect_as_admin, rename_table};
use docket_e2e::documents::Documents;
use docket_e2e::objects::Objects;
use docket_e2e::prometheus::Prometheus;
use docket_e2e::scenario::{TENANT, scenario, schema_of};
use docket_e2e::wait::until_within;
use kube::Client;
use serde_json::json;

/// Recorded series of a whole window begin with the next five minutes of the clock.
const LONGEST: Duration = Duration::from_secs(360);

/// Waits until each query of the dashboard has data, while `cause` causes some again and again.
async fn has_data(
    client: &Client,
    dashboard: &str,
    variables: &[(&str, &str)],
    cause: impl AsyncFn() -> Result<()>,
) -> Result<()> {
    let prometheus = Prometheus::of(client).await?;
    let mut unanswered = queries(dashboard, variables)?;
    ensure!(unanswered.len() > 10, "{dashboard} asks for little");
    until_within(LONGEST, "data for each panel", async || {
        cause().await?;
        let mut still = Vec::new();
        for query in unanswered.drain(..) {
            if prometheus.numbers(&query.expression).await?.is_empty() {
                still.push(query);
            }
        }
        unanswered = still;
        let left: Vec<String> = unanswered.iter().map(ToString::to_string).collect();
        Ok(if left.is_empty() {
            Ok(())
        } else {
            Err(left.join("\n"))
        })
    })
    .await
}

/// Stores and reads, asks for what is not there, and does what fails.
async fn work(well: &Documents, broken: &Documents) -> Result<()> {
    let id = well.upload("a.txt", b"on a dashboard").await?;
    well.content(id).await?;
    for (documents, path, status) in [
        (well, "documents?limit=10", 200),
        (well, "documents/999999999", 404),
        (broken, "documents?limit=10", 500),
    ] {
        let answer = documents.get(path).await?;
        ensure!(answer.status() == status, "{path}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_panel_about_a_tenants_service_and_its_database_has_data() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex", "initech"]);
        // What is read is a view of a document.
        spec["workloads"]["pageViews"] = json!({"documents": true});
        let tenant = it.ready(spec).await?;
        let schema = schema_of(&tenant, "initech")?;
        let mut admin = connect_as_admin(&it.client).await?;
        rename_table(&mut admin, &schema, "document_metadata", "hidden").await?;
        let well = it.documents("globex").await?;
        let broken = it.documents("initech").await?;
        let variables = [("namespace", it.namespace.as_str()), ("tenant", TENANT)];
        for dashboard in ["docket-service", "docket-database"] {
            has_data(&it.client, dashboard, &variables, async || {
                work(&well, &broken).await
            })
            .await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn every_panel_about_the_operator_has_data() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let variables = [("job", "docket-operator")];
        has_data(&it.client, "docket-operator", &variables, async || {
            it.look().await
        })
        .await
    })
    .await;
}

#[tokio::test]
async fn every_panel_about_objectives_has_data() -> Result<()> {
    let client = client().await?;
    // The example tenant: its window began long ago.
    let objects = Objects::new(client.clone(), "acme");
    let key = objects
        .secret(&names::api_keys_secret(TENANT), "globex")
        .await?;
    let documents =
        Documents::of_service(&objects, &names::api_name(TENANT), "globex", &key).await?;
    let variables = [
        ("namespace", "acme"),
        ("tenant", "acme"),
        ("objective", ".+"),
    ];
    has_data(&client, "docket-objectives", &variables, async || {
        let answer = documents.get("documents?limit=1").await?;
        answer.error_for_status()?;
        Ok(())
    })
    .await
}

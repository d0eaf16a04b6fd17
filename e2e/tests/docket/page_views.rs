use anyhow::{Context as _, Result, ensure};
use docket_crds::{PAGE_VIEWS, names};
use docket_e2e::scenario::{TENANT, scenario};
use k8s_openapi::api::core::v1::{Secret, Service};
use serde_json::{Value, json};

const ORIGIN: &str = "https://www.globex.example";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

#[tokio::test]
async fn a_tenant_with_page_views_alone_takes_the_beacons_of_its_clients_pages() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["workloads"] = json!({"pageViews": {"origins": [ORIGIN]}});
        it.ready(spec).await?;
        let keys: Secret = it.objects.get(&names::api_keys_secret(TENANT)).await?;
        let key = |entry: &str| -> Result<String> {
            let data = keys.data.as_ref().context("no keys")?;
            let value = data.get(entry).context("no such key")?;
            Ok(String::from_utf8(value.0.clone())?)
        };
        let publishable = key(&names::publishable_key_entry("globex", PAGE_VIEWS))?;
        let service: Service = it.objects.get(&names::api_name(TENANT)).await?;
        let address = service.spec.and_then(|spec| spec.cluster_ip);
        let views = format!(
            "http://{}/api/p3/page-views",
            address.context("no cluster IP")?
        );

        let http = reqwest::Client::builder()
            .no_proxy()
            .user_agent(FIREFOX)
            .build()?;
        let beacon = docket_e2e::retry::send(|| {
            http.post(format!("{views}?key={publishable}"))
                .header("origin", ORIGIN)
                .header("content-type", "text/plain;charset=UTF-8")
                .body(json!({"views": [{"path": "/pricing"}]}).to_string())
        })
        .await?;
        ensure!(beacon.status() == 202, "{}", beacon.status());
        let outcomes: Value = beacon.json().await?;
        ensure!(outcomes["outcomes"][0]["outcome"] == "stored", "{outcomes}");

        let report = http
            .get(format!("{views}/report?by=path"))
            .header("x-api-key", key("globex")?);
        let report: Value = report.send().await?.error_for_status()?.json().await?;
        ensure!(report["rows"][0]["path"] == "/pricing", "{report}");
        ensure!(report["rows"][0]["views"] == 1, "{report}");
        Ok(())
    })
    .await;
}

use anyhow::{Context, Result, ensure};
use docket_crds::{ConditionType, condition, labels};
use docket_e2e::gateway::everything_with;
use docket_e2e::objects::Objects;
use docket_e2e::retry::send;
use docket_e2e::scenario::{DEV_NAMESPACE, Scenario, TENANT, scenario};
use docket_e2e::wait::until;
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Value, json};

async fn put_headers(it: &Scenario, token: &str) -> Result<()> {
    let data = json!({"authorization": token});
    let secret: Secret = serde_json::from_value(json!({
        "metadata": {"name": "gateway-headers", "labels": {labels::ALLOWED_AS: labels::TELEMETRY_HEADERS}},
        "stringData": data,
    }))?;
    match it
        .objects
        .api::<Secret>()
        .get_opt("gateway-headers")
        .await?
    {
        None => it.objects.create(&secret).await.map(|_| ()),
        Some(_) => {
            let patch = json!({"stringData": data});
            it.objects.merge::<Secret>("gateway-headers", patch).await?;
            Ok(())
        }
    }
}

/// Asks for something until the trace of an answer is at the gateway: for a moment after a rollout a pod of before
/// answers, whose collector has the settings of before.
async fn is_told_at_the_gateway(it: &Scenario) -> Result<()> {
    let documents = it.documents("globex").await?;
    let mut traces: Vec<String> = Vec::new();
    until("a trace at the gateway", async || {
        let trace = uuid::Uuid::new_v4().simple().to_string();
        let answer = send(|| {
            documents
                .request(reqwest::Method::GET, "documents")
                .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        });
        ensure!(answer.await?.status().is_success());
        traces.push(trace);
        // One to a line is any of them.
        let arrived = everything_with(&it.client, &traces.join("\n")).await?;
        Ok(match arrived.is_empty() {
            true => Err(format!("none of {} has arrived", traces.len())),
            false => Ok(()),
        })
    })
    .await
}

async fn pods(it: &Scenario) -> Result<Vec<String>> {
    let pods = it.objects.api::<Pod>().list(&ListParams::default()).await?;
    let mut names: Vec<String> = pods.iter().map(ResourceExt::name_any).collect();
    names.sort();
    Ok(names)
}

#[tokio::test]
async fn a_secret_of_telemetry_that_is_missing_is_said_and_keeps_nobody_from_being_served() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["telemetry"]["headersSecretRef"] = json!({"name": "gateway-headers"});
        spec["telemetry"]["allowHttp"] = json!(true);
        it.create(spec).await?;
        let told = it
            .wait_condition(ConditionType::CollectorReady, "False", "SecretNotFound")
            .await?;
        let told = condition(&told, ConditionType::CollectorReady).context("a condition")?;
        ensure!(
            told.message
                .starts_with("Create the Secret gateway-headers")
                && told.message.contains("spec.telemetry.headersSecretRef"),
            "{}",
            told.message
        );
        it.wait_condition(ConditionType::ApiAvailable, "True", "Available")
            .await?;
        let documents = it.documents("globex").await?;
        documents.upload("served.txt", b"all the same").await?;

        put_headers(it, "Bearer one").await?;
        it.wait_ready().await?;
        is_told_at_the_gateway(it).await
    })
    .await;
}

#[tokio::test]
async fn a_new_header_rolls_out_and_stands_in_no_config_map_and_no_environment() {
    scenario(async |it| {
        put_headers(it, "Bearer one").await?;
        let mut spec = it.spec(&["globex"]);
        spec["telemetry"]["headersSecretRef"] = json!({"name": "gateway-headers"});
        spec["telemetry"]["allowHttp"] = json!(true);
        spec["telemetry"]["redaction"] = json!({"patterns": ["acme-[0-9]{6}$"]});
        spec["telemetry"]["sampling"] = json!({"ratio": "0.5"});
        it.ready(spec).await?;
        let before = pods(it).await?;
        put_headers(it, "Bearer two").await?;
        until("other pods", async || {
            let now = pods(it).await?;
            let all_new = now.len() == before.len() && now.iter().all(|pod| !before.contains(pod));
            Ok(if all_new {
                Ok(())
            } else {
                Err(format!("{now:?}"))
            })
        })
        .await?;
        it.wait_ready().await?;
        is_told_at_the_gateway(it).await?;
        let shown = std::process::Command::new("kubectl")
            .args(["get", "configmaps,pods,deployments", "--output=yaml"])
            .args(["--namespace", &it.namespace])
            .output()?;
        let shown = String::from_utf8(shown.stdout)?;
        ensure!(
            shown.contains("acme-[0-9]{6}"),
            "the ConfigMap is not there"
        );
        ensure!(!shown.contains("Bearer two"), "the header is shown");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_a_collector_says_of_its_queue_is_scraped_with_the_name_of_its_tenant() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let dev = Objects::new(it.client.clone(), DEV_NAMESPACE);
        let prometheus: Service = dev.get("prometheus").await?;
        let address = prometheus
            .spec
            .and_then(|spec| spec.cluster_ip)
            .context("no cluster IP")?;
        let of_tenant = format!(
            r#"otelcol_exporter_queue_capacity{{namespace="{}",docket_tenant="{TENANT}",container="collector"}}"#,
            it.namespace
        );
        let url = format!("http://{address}:9090/api/v1/query");
        let url = reqwest::Url::parse_with_params(&url, [("query", of_tenant)])?;
        until("a series of the collector's queue", async || {
            let answer: Value = reqwest::get(url.clone()).await?.json().await?;
            let series = answer["data"]["result"].as_array().map_or(0, Vec::len);
            Ok(if series > 0 { Ok(()) } else { Err(answer) })
        })
        .await?;
        let told = it.wait_condition(ConditionType::CollectorReady, "True", "Running").await;
        told.map(|_| ())
    })
    .await;
}

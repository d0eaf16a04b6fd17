use anyhow::{Context, Result, ensure};
use docket_crds::names;
use docket_e2e::client::client;
use docket_e2e::database::log_statements_of;
use docket_e2e::gateway::{Span, everything_with, line, spans};
use docket_e2e::objects::Objects;
use docket_e2e::retry::send;
use docket_e2e::scenario::{DEV_NAMESPACE, Scenario, scenario, schema_of};
use docket_e2e::wait::until;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;
use kube::api::{ListParams, LogParams};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use uuid::Uuid;

fn parent_of<'a>(spans: &'a [Span], name: &str) -> Result<&'a Span> {
    let span = spans
        .iter()
        .find(|span| span.name == name)
        .context("no such span")?;
    let parent = spans.iter().find(|parent| parent.id == span.parent);
    parent.with_context(|| format!("{name} has no parent in its trace"))
}

#[tokio::test]
async fn the_trace_of_an_upload_arrives_at_the_gateway_with_its_spans() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let trace_id = Uuid::new_v4().simple().to_string();
        let correlation_id = Uuid::new_v4().to_string();
        let documents = it.documents("globex").await?;
        let response = send(|| {
            let part = Part::bytes(b"traced".to_vec()).file_name("traced.txt");
            documents
                .request(Method::PUT, "upload-document")
                .header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"))
                .header("X-Request-ID", &correlation_id)
                .multipart(Form::new().part("file", part))
        })
        .await?;
        ensure!(response.status() == 201, "{}", response.status());
        ensure!(response.headers()["x-request-id"] == correlation_id.as_str());

        let names = [
            "upload_document",
            "file_processing",
            "file_read",
            "file_save",
            "store_metadata",
            "database_connection",
            "sql_execution",
            "transaction_commit",
        ];
        let spans = spans(&it.client, &trace_id, &names).await?;
        for (child, parent) in [
            ("file_processing", "upload_document"),
            ("file_read", "file_processing"),
            ("file_save", "file_processing"),
            ("store_metadata", "upload_document"),
            ("database_connection", "store_metadata"),
            ("sql_execution", "transaction_commit"),
            ("transaction_commit", "store_metadata"),
        ] {
            let found = parent_of(&spans, child)?;
            ensure!(found.name == parent, "{child} is below {}", found.name);
        }
        for span in &spans {
            ensure!(span.service == docket_contract::DOCUMENT_API, "{span:?}");
            let id = span
                .attributes
                .iter()
                .find(|(key, _)| key == "correlation_id");
            ensure!(
                id.is_some_and(|(_, value)| *value == correlation_id),
                "{span:?}"
            );
        }
        let log = line(&it.client, &correlation_id, "/data/logs.jsonl").await?;
        ensure!(
            log.contains(&trace_id),
            "the log line of the request does not name its trace: {log}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_request_id_of_an_answer_finds_its_line_its_spans_and_its_statement_in_postgres_log() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex"])).await?;
        let role = schema_of(&tenant, "globex")?;
        let documents = it.documents("globex").await?;
        log_statements_of(&it.client, &role).await?;
        let secret_name = format!("{}.txt", Uuid::new_v4());
        let answer = until("an answer on a new connection to Postgres", async || {
            let answer = documents.try_upload(&secret_name, b"traced").await?;
            Ok((answer.status() == 201)
                .then_some(answer)
                .ok_or("not stored"))
        })
        .await?;
        let header = |name: &str| anyhow::Ok(answer.headers()[name].to_str()?.to_owned());
        let request_id = header("x-request-id")?;

        let lines = pod_log(it, "acme-api-", names::API_CONTAINER).await?;
        let line = lines
            .lines()
            .filter(|line| line.contains(&request_id))
            .find(|line| line.contains("\"message\":\"request\""));
        let line: Value = serde_json::from_str(line.context("no line with the request id")?)?;
        ensure!(
            line["status"] == 201 && line["client"] == "globex",
            "{line}"
        );
        let trace_id = line["trace_id"].as_str().context("a trace")?;
        ensure!(header("traceparent")?.starts_with(&format!("00-{trace_id}-")));

        let names = ["database_connection", "sql_execution", "transaction_commit"];
        let spans = spans(&it.client, trace_id, &names).await?;
        let sql = spans.iter().find(|span| span.name == "sql_execution");
        let comment = format!(
            "traceparent='00-{trace_id}-{}-01'",
            sql.context("a span")?.id
        );

        let objects = Objects::new(it.client.clone(), DEV_NAMESPACE);
        let postgres = objects.api::<Pod>();
        let logged = until("the statement in Postgres' log", async || {
            let log = postgres.logs("postgres-0", &LogParams::default()).await?;
            let line = log.lines().find(|line| line.contains(&comment));
            Ok(line.map(ToOwned::to_owned).ok_or("no such line"))
        })
        .await?;
        ensure!(logged.contains("INSERT INTO document_metadata"), "{logged}");
        ensure!(logged.contains(&role), "{logged}");
        let log = postgres.logs("postgres-0", &LogParams::default()).await?;
        ensure!(!log.contains(&secret_name), "values are in Postgres' log");
        Ok(())
    })
    .await;
}

/// The log of one container of the first pod whose name starts so.
async fn pod_log(it: &Scenario, prefix: &str, container: &str) -> Result<String> {
    let pods = it.objects.api::<Pod>();
    let list = pods.list(&ListParams::default()).await?;
    let names = list.iter().map(ResourceExt::name_any);
    let pod = names.into_iter().find(|name| name.starts_with(prefix));
    let params = LogParams {
        container: Some(container.to_owned()),
        ..LogParams::default()
    };
    Ok(pods.logs(&pod.context("no pod")?, &params).await?)
}

#[tokio::test]
async fn the_metrics_of_a_tenant_arrive_at_the_gateway_and_say_what_was_lost() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        it.documents("globex")
            .await?
            .upload("counted.txt", b"x")
            .await?;
        let batch = until("the metrics of the tenant", async || {
            let arrived = everything_with(&it.client, &it.namespace).await?;
            let batch = arrived.lines().find(|line| {
                line.starts_with("{\"resourceMetrics\"") && line.contains("http_requests_total")
            });
            Ok(batch.map(ToOwned::to_owned).ok_or("not yet"))
        })
        .await?;
        for name in [
            "http_request_duration_seconds",
            "database_operations_total",
            "telemetry_exported_total",
            "telemetry_dropped_total",
        ] {
            ensure!(batch.contains(name), "{name} is missing in {batch}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_trace_that_the_status_names_arrives_at_the_gateway_with_the_phases_of_the_reconcile() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex"])).await?;
        let reconcile = tenant
            .status
            .context("a status")?
            .reconcile
            .context("a reconcile")?;
        ensure!(reconcile.trace_id.len() == 32, "{reconcile:?}");
        let names = [
            "reconcile",
            "dereference",
            "database",
            "apply",
            "apply Deployment",
        ];
        let spans = spans(&it.client, &reconcile.trace_id, &names).await?;
        ensure!(parent_of(&spans, "apply Deployment")?.name == "apply");
        ensure!(parent_of(&spans, "apply")?.name == "reconcile");
        ensure!(
            spans.iter().all(|span| span.service == names::OPERATOR),
            "{spans:#?}"
        );
        let phases: Vec<&str> = reconcile
            .spans
            .iter()
            .map(|span| span.name.as_str())
            .collect();
        ensure!(
            phases == ["dereference", "credentials", "database", "apply"],
            "{phases:?}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_operator_counts_its_reconciles_and_writes() -> Result<()> {
    let objects = Objects::new(client().await?, "docket-system");
    let service: Service = objects.get("docket-operator").await?;
    let address = service
        .spec
        .and_then(|spec| spec.cluster_ip)
        .context("no cluster IP")?;
    let url = |path: &str| format!("http://{address}:8080{path}");
    for path in ["/livez", "/readyz"] {
        ensure!(reqwest::get(url(path)).await?.status() == 200, "{path}");
    }
    let page = reqwest::get(url("/metrics")).await?.text().await?;
    for name in [
        "docket_operator_reconciles_total{result=\"ok\"}",
        "docket_operator_reconcile_duration_seconds_bucket{result=\"ok\",le=\"0.3\"}",
        "docket_operator_writes_total{kind=\"Deployment\",verb=\"apply\"}",
        "docket_operator_sql_transactions_total{operation=\"provision\"}",
    ] {
        ensure!(page.contains(name), "{name} is missing in {page}");
    }
    Ok(())
}

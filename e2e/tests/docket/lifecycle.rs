use std::process::Command;

use anyhow::{Context, Result, ensure};
use docket_crds::{ConditionType, DocumentTenant, condition, is_true, labels, names};
use docket_e2e::database::{connect_as_admin, traces_of};
use docket_e2e::scenario::{TENANT, scenario, schema_of};
use docket_e2e::story::told;
use docket_e2e::wait::until;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use kube::api::{WatchEvent, WatchParams};
use serde_json::json;

#[tokio::test]
async fn kubectl_wait_sees_a_new_tenant_get_ready_and_its_clients_store_and_read_documents() {
    scenario(async |it| {
        it.create(it.spec(&["globex", "initech"])).await?;
        let status = Command::new("kubectl")
            .args([
                "wait",
                "--for=condition=Ready",
                "documenttenant/acme",
                "--timeout=120s",
            ])
            .args(["--namespace", &it.namespace])
            .status()?;
        ensure!(status.success(), "kubectl wait: {status}");
        for client in ["globex", "initech"] {
            let documents = it.documents(client).await?;
            let content = format!("a document of {client}").repeat(1000);
            let id = documents.upload("report.txt", content.as_bytes()).await?;
            ensure!(documents.content(id).await? == content.as_bytes());
            let metadata = documents.metadata(id).await?;
            ensure!(metadata["filename"] == "report.txt", "{metadata}");
            ensure!(metadata["file_type"] == "text/plain", "{metadata}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn kubectl_get_shows_what_an_operator_wants_to_see_first() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let output = Command::new("kubectl")
            .args(["get", "dt", "acme", "--namespace", &it.namespace])
            .output()?;
        let table = String::from_utf8(output.stdout)?;
        let (header, row) = table.trim_end().split_once('\n').unwrap_or_default();
        let header: Vec<&str> = header.split_whitespace().collect();
        let row: Vec<&str> = row.split_whitespace().collect();
        ensure!(
            header == ["NAME", "READY", "REASON", "API", "CLIENTS", "BUDGET", "AGE"],
            "{table}"
        );
        let url = format!("http://acme-api.{}.svc", it.namespace);
        ensure!(row[..5] == ["acme", "True", "Ready", &url, "1"], "{table}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn all_conditions_are_there_from_the_first_visit_and_say_what_to_do() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["database"]["secretRef"]["name"] = json!("forgotten");
        it.create(spec).await?;
        let tenant = it
            .wait_condition(ConditionType::DatabaseReady, "False", "SecretNotFound")
            .await?;
        for type_ in std::iter::once(ConditionType::Ready).chain(ConditionType::PARTS) {
            ensure!(
                condition(&tenant, type_).is_some(),
                "{type_} is missing: {:?}",
                tenant.status
            );
        }
        let observed = tenant
            .status
            .as_ref()
            .and_then(|status| status.observed_generation);
        ensure!(
            observed == tenant.metadata.generation,
            "{:?}",
            tenant.status
        );
        let message = &condition(&tenant, ConditionType::Ready).unwrap().message;
        let advice = format!("Create the Secret forgotten in namespace {}", it.namespace);
        ensure!(message.starts_with(&advice), "{message}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_tenant_gets_ready_by_itself_once_the_secret_it_waits_for_is_there() {
    scenario(async |it| {
        it.objects
            .delete::<k8s_openapi::api::core::v1::Secret>("docket-s3")
            .await?;
        it.create(it.spec(&["globex"])).await?;
        it.wait_condition(ConditionType::CredentialsReady, "False", "SecretNotFound")
            .await?;
        it.bring_secret("docket-s3").await?;
        it.wait_ready().await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_invalid_change_leaves_the_running_tenant_serving_and_says_why() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let documents = it.documents("globex").await?;
        let id = documents.upload("kept.txt", b"kept").await?;

        let change = json!({"spec": {"database": {"secretRef": {"name": "forgotten"}}}});
        it.objects.merge::<DocumentTenant>(TENANT, change).await?;
        let tenant = it
            .wait_condition(ConditionType::Ready, "False", "SecretNotFound")
            .await?;
        ensure!(
            condition(&tenant, ConditionType::ApiAvailable).is_some_and(is_true),
            "{:?}",
            tenant.status
        );
        ensure!(documents.content(id).await? == b"kept");

        let change = json!({"spec": {"database": {"secretRef": {"name": "docket-database"}},
            "api": {"image": "docket.local/no-such-image:1"}}});
        it.objects.merge::<DocumentTenant>(TENANT, change).await?;
        until("the reason why the image cannot run", async || {
            let tenant: DocumentTenant = it.objects.get(TENANT).await?;
            let ready = condition(&tenant, ConditionType::Ready).unwrap();
            let told = ready.status == "False" && ready.message.contains("no-such-image");
            Ok(if told {
                Ok(())
            } else {
                Err(format!("{ready:?}"))
            })
        })
        .await?;
        ensure!(documents.content(id).await? == b"kept");

        let change = json!({"spec": {"api": {"image": null}}});
        it.objects.merge::<DocumentTenant>(TENANT, change).await?;
        it.wait_ready().await?;
        ensure!(documents.content(id).await? == b"kept");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_object_that_exists_and_is_not_ours_is_refused_and_left_alone() {
    scenario(async |it| {
        let foreign: Service = serde_json::from_value(json!({
            "metadata": {"name": &names::api_name(TENANT)}, "spec": {"ports": [{"port": 1234}]},
        }))?;
        it.objects.create(&foreign).await?;
        it.create(it.spec(&["globex"])).await?;
        it.wait_condition(ConditionType::Ready, "False", "NameTaken")
            .await?;
        let service: Service = it.objects.get(&names::api_name(TENANT)).await?;
        ensure!(service.spec.unwrap().ports.unwrap()[0].port == 1234);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn events_tell_what_was_done_and_name_the_trace_of_it() {
    scenario(async |it| {
        let tenant = it.ready(it.spec(&["globex"])).await?;
        let status = tenant.status.as_ref().unwrap();
        let trace = &status.reconcile.as_ref().unwrap().trace_id;
        told(it, "Applied", |note| {
            note.contains("Deployment/acme-api") && note.contains(trace)
        })
        .await?;
        told(it, "Ready", |_| true).await?;
        ensure!(!tenant.finalizers().is_empty());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_child_that_somebody_deletes_or_changes_comes_back() -> Result<()> {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let before: Service = it.objects.get(&names::api_name(TENANT)).await?;
        it.objects
            .delete::<Service>(&names::api_name(TENANT))
            .await?;
        until("a new Service", async || {
            let service = it
                .objects
                .api::<Service>()
                .get_opt(&names::api_name(TENANT))
                .await?;
            Ok(service
                .filter(|service| service.uid() != before.uid())
                .ok_or("none yet"))
        })
        .await?;
        let change = json!({"spec": {"selector": {labels::TENANT: "somebody-else"}}});
        it.objects
            .merge::<Service>(&names::api_name(TENANT), change)
            .await?;
        until("the selector as it was", async || {
            let service: Service = it.objects.get(&names::api_name(TENANT)).await?;
            let selector = service.spec.unwrap().selector.unwrap();
            Ok(if selector[labels::TENANT] == "acme" {
                Ok(())
            } else {
                Err("not yet")
            })
        })
        .await
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn the_names_of_a_client_are_on_the_status_before_its_schema_exists() {
    scenario(async |it| {
        let tenants = it.objects.api::<DocumentTenant>();
        let mut versions = tenants
            .watch(&WatchParams::default(), "0")
            .await
            .context("a watch")?
            .boxed();
        it.create(it.spec(&["globex"])).await?;
        let admin = &mut connect_as_admin(&it.client).await?;
        // A watch brings every version of the status in its order.
        while let Some(event) = versions.try_next().await? {
            let (WatchEvent::Added(tenant) | WatchEvent::Modified(tenant)) = event else {
                continue;
            };
            let clients = tenant
                .status
                .map(|status| status.clients)
                .unwrap_or_default();
            let Some(client) = clients.first() else {
                continue;
            };
            ensure!(
                client.schema_version == 0,
                "the schema was there first: {client:?}"
            );
            ensure!(client.schema.starts_with("acme_globex_"), "{client:?}");
            break;
        }
        let tenant = it.wait_ready().await?;
        let schema = schema_of(&tenant, "globex")?;
        let traces = traces_of(admin, &schema).await?;
        ensure!(traces == (true, true, Some("Active".into())), "{traces:?}");
        Ok(())
    })
    .await;
}

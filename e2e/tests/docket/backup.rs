//! Postgres is lost with all its data and comes back from a backup, as docs/operations.md tells.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use docket_crds::{ConditionType, DocumentTenant, names};
use docket_e2e::objects::Objects;
use docket_e2e::scenario::{DEV_NAMESPACE, Scenario, TENANT, scenario, schema_of};
use docket_e2e::wait::until;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, EmptyDirVolumeSource, Pod, Secret, Service, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt as _};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// A Postgres of the scenario's own, like that of the development stack, whose data goes with its pod.
async fn bring_postgres(it: &Scenario) -> Result<()> {
    let there = Objects::new(it.client.clone(), DEV_NAMESPACE);
    let host = json!({"stringData": {"host": format!("postgres.{}", it.namespace)}});
    it.objects.merge::<Secret>("docket-database", host).await?;
    copy::<ConfigMap>(&there, it, |_| ()).await?;
    copy::<Service>(&there, it, |service| {
        let spec = service.spec.get_or_insert_default();
        (spec.cluster_ip, spec.cluster_ips) = (None, None);
        service.status = None;
    })
    .await?;
    copy::<StatefulSet>(&there, it, |set| {
        let spec = set.spec.get_or_insert_default();
        spec.volume_claim_templates = None;
        let pod = spec.template.spec.get_or_insert_default();
        let volumes = pod.volumes.get_or_insert_default();
        volumes.retain(|volume| volume.name != "data");
        volumes.push(Volume {
            name: "data".into(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Volume::default()
        });
        set.status = None;
    })
    .await
}

/// Makes the object `postgres` of the development stack here, as `change` has it.
async fn copy<K>(there: &Objects, it: &Scenario, change: impl FnOnce(&mut K)) -> Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned,
{
    let mut object: K = there.get("postgres").await?;
    *object.meta_mut() = ObjectMeta {
        name: Some(object.name_any()),
        ..ObjectMeta::default()
    };
    change(&mut object);
    it.objects.create(&object).await?;
    Ok(())
}

/// Runs a program of Postgres beside the server, as the user that the Secret names.
async fn tool(it: &Scenario, program: &str, arguments: &[&str], input: &str) -> Result<String> {
    let login = ["username", "password", "dbname"];
    let mut values = Vec::new();
    for entry in login {
        values.push(it.objects.secret("docket-database", entry).await?);
    }
    let mut child = Command::new("kubectl")
        .args(["exec", "--stdin", "--namespace", &it.namespace])
        .args(["postgres-0", "--", "env", "PGHOST=127.0.0.1"])
        .arg(format!("PGUSER={}", values[0]))
        .arg(format!("PGPASSWORD={}", values[1]))
        .arg(format!("PGDATABASE={}", values[2]))
        .arg(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no stdin")?;
    stdin.write_all(input.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {arguments:?}: {told}");
    Ok(String::from_utf8(output.stdout)?)
}

async fn psql(it: &Scenario, command: &str, input: &str) -> Result<String> {
    let arguments = ["--set=ON_ERROR_STOP=1", "--quiet", "--command", command];
    tool(it, "psql", &arguments, input).await
}

/// Takes the pod with all its data away, and waits for the next one.
async fn lose_postgres(it: &Scenario) -> Result<()> {
    let old: Pod = it.objects.get("postgres-0").await?;
    it.objects.delete::<Pod>("postgres-0").await?;
    until("an empty Postgres", async || {
        let pod = it.objects.api::<Pod>().get_opt("postgres-0").await?;
        let pod = pod.filter(|pod| pod.uid() != old.uid());
        let conditions = pod.and_then(|pod| pod.status?.conditions);
        let is_ready = |type_: &str, status: &str| type_ == "Ready" && status == "True";
        let mut conditions = conditions.iter().flatten();
        let ready = conditions.any(|it| is_ready(&it.type_, &it.status));
        Ok(ready.then_some(()).ok_or("it is not ready"))
    })
    .await
}

#[tokio::test]
async fn a_tenant_whose_postgres_is_lost_is_served_again_from_a_backup() {
    scenario(async |it| {
        bring_postgres(it).await?;
        let tenant = it.ready(it.spec(&["globex"])).await?;
        let documents = it.documents("globex").await?;
        let id = documents.upload("kept.txt", b"in the backup").await?;

        let schema = schema_of(&tenant, "globex")?;
        let chosen = format!("--schema={schema}");
        let dump = ["--no-owner", "--no-privileges", chosen.as_str()];
        let dump = tool(it, "pg_dump", &dump, "").await?;
        let rows = "SELECT * FROM docket.clients WHERE namespace = '{}' AND tenant = 'acme'"
            .replace("{}", &it.namespace);
        let rows = psql(it, &format!("\\copy ({rows}) TO STDOUT"), "").await?;

        lose_postgres(it).await?;
        it.look().await?;
        it.wait_condition(ConditionType::DatabaseReady, "False", "SchemaLost")
            .await?;
        let answer = documents.request(Method::GET, "documents").send().await?;
        ensure!(
            answer.status() == StatusCode::SERVICE_UNAVAILABLE,
            "{answer:?}"
        );

        let pause = json!({"spec": {"paused": true}});
        it.objects.merge::<DocumentTenant>(TENANT, pause).await?;
        let none = json!({"spec": {"replicas": 0}});
        it.objects
            .merge::<Deployment>(&names::api_name(TENANT), none)
            .await?;
        tool(it, "psql", &["--set=ON_ERROR_STOP=1", "--quiet"], &dump).await?;
        psql(it, "\\copy docket.clients FROM STDIN", &rows).await?;
        let go_on = json!({"spec": {"paused": false}});
        it.objects.merge::<DocumentTenant>(TENANT, go_on).await?;

        it.wait_ready().await?;
        let documents = it.documents("globex").await?;
        let read = documents.content(id).await?;
        ensure!(read == b"in the backup", "{read:?}");
        documents.upload("after.txt", b"after it").await?;
        Ok(())
    })
    .await;
}

//! Pods that come and go under load; callers here never ask twice.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use docket_crds::{DocumentTenant, annotations, labels, names};
use docket_e2e::database::connect_as_admin;
use docket_e2e::documents::Documents;
use docket_e2e::objects::Objects;
use docket_e2e::scenario::{Scenario, TENANT, scenario, schema_of};
use docket_e2e::traffic::Traffic;
use docket_e2e::wait::until;
use docket_testing_support::{Authority, Certificate};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::ResourceExt;
use kube::api::ListParams;
use reqwest::Method;
use serde_json::{Value, json};

const CALLERS: usize = 6;
/// Requests that show that traffic flows.
const FLOW: usize = 4 * CALLERS;

async fn traffic(it: &Scenario) -> Result<Traffic> {
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        callers.push(it.documents("globex").await?);
    }
    let traffic = Traffic::start(callers);
    traffic.flows(FLOW).await?;
    Ok(traffic)
}

fn secret(certificate: &Certificate) -> Value {
    json!({
        "metadata": {"name": "acme-tls"}, "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": certificate.certificate, "tls.key": certificate.key},
    })
}

async fn pods(it: &Scenario) -> Result<Vec<String>> {
    let ours = ListParams::default().labels(&labels::of_tenant(TENANT));
    let pods = it.objects.api::<Pod>().list(&ours).await?;
    Ok(pods.iter().map(ResourceExt::name_any).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_under_load_fails_no_request() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["api"]["replicas"] = json!(2);
        it.ready(spec).await?;
        let traffic = traffic(it).await?;
        let old = pods(it).await?;
        for command in ["restart", "status"] {
            let status = Command::new("kubectl")
                .args(["rollout", command])
                .arg(format!("deployment/{}", names::api_name(TENANT)))
                .args(["--namespace", &it.namespace])
                .status()?;
            ensure!(status.success(), "kubectl rollout {command}: {status}");
        }
        until("the end of the old pods", async || {
            let left = pods(it).await?;
            let gone = left.iter().all(|pod| !old.contains(pod));
            Ok(gone.then_some(()).ok_or_else(|| format!("{left:?}")))
        })
        .await?;
        traffic.flows(FLOW).await?;
        let answered = traffic.all_went_well().await?;
        eprintln!("{answered} requests during a rollout");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_come_and_go_under_load_fail_no_request() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let traffic = traffic(it).await?;
        for replicas in [3, 1] {
            let patch = json!({"spec": {"api": {"replicas": replicas}}});
            it.objects.merge::<DocumentTenant>(TENANT, patch).await?;
            it.wait_ready().await?;
            until("the pods that are wanted", async || {
                let pods = pods(it).await?;
                let all = pods.len() == replicas;
                Ok(all.then_some(()).ok_or_else(|| format!("{pods:?}")))
            })
            .await?;
            traffic.flows(FLOW).await?;
        }
        let answered = traffic.all_went_well().await?;
        eprintln!("{answered} requests while replicas came and went");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_under_load_and_fails_no_request() {
    scenario(async |it| {
        let (first, second) = (Authority::new("first")?, Authority::new("second")?);
        let host = format!("{}.{}.svc", names::api_name(TENANT), it.namespace);
        let old: Secret = serde_json::from_value(secret(&first.certify(&host)?))?;
        it.objects.create(&old).await?;
        let mut spec = it.spec(&["globex"]);
        spec["api"]["tls"] = json!({"secretRef": {"name": "acme-tls"}});
        it.ready(spec).await?;
        let key = it
            .objects
            .secret(&names::api_keys_secret(TENANT), "globex")
            .await?;
        let with = async |authorities: &[&Authority]| {
            let caller = ("globex", key.as_str());
            Documents::of_service_with_tls(
                &it.objects,
                &names::api_name(TENANT),
                authorities,
                caller,
            )
            .await
        };
        let before = with(&[&first]).await?;
        until("the old certificate", async || is_served(&before).await).await?;
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            callers.push(with(&[&first, &second]).await?);
        }
        let traffic = Traffic::start(callers);
        traffic.flows(FLOW).await?;

        let new = secret(&second.certify(&host)?);
        it.objects.merge::<Secret>("acme-tls", new).await?;
        let after = with(&[&second]).await?;
        until("the new certificate", async || is_served(&after).await).await?;
        until("the end of the old one", async || {
            let before = with(&[&first]).await?;
            let served = is_served(&before).await?;
            Ok(served.err().map(drop).ok_or("it is still served"))
        })
        .await?;
        traffic.flows(FLOW).await?;
        let answered = traffic.all_went_well().await?;
        eprintln!("{answered} requests while a certificate was replaced");
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_rotated_under_load_fail_no_request() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["api"]["replicas"] = json!(2);
        it.ready(spec).await?;
        let traffic = traffic(it).await?;
        let key = it.objects.secret(&names::api_keys_secret(TENANT), "globex").await?;
        let ask = json!({"metadata": {"annotations": {annotations::ROTATE: "1", annotations::ROTATE_API_KEYS: "1"}}});
        it.objects.merge::<DocumentTenant>(TENANT, ask).await?;
        until("the new key to be handed out", async || {
            let now = it.objects.secret(&names::api_keys_secret(TENANT), "globex").await?;
            Ok((now != key).then_some(()).ok_or("it is the old one"))
        })
        .await?;
        let previous = it.objects.secret(&names::api_keys_secret(TENANT), &names::previous_key_entry("globex")).await?;
        ensure!(previous == key, "the key before is not kept");
        let tenant = it.wait_ready().await?;
        let schema = schema_of(&tenant, "globex")?;
        let mut admin = connect_as_admin(&it.client).await?;
        until("the end of the old login", async || {
            let logins: Vec<String> = sqlx::query_scalar(
                "SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND rolname IN ($1, $1 || 'x')",
            )
            .bind(&schema)
            .fetch_all(&mut admin)
            .await?;
            let rotated = logins == [format!("{schema}x")];
            Ok(rotated.then_some(()).ok_or_else(|| format!("{logins:?}")))
        })
        .await?;
        // The callers have the key of before, and go on; one that has the new one is served too.
        it.documents("globex").await?.upload("new-key.txt", b"new").await?;
        traffic.flows(FLOW).await?;
        let answered = traffic.all_went_well().await?;
        eprintln!("{answered} requests during a rotation");
        Ok(())
    })
    .await;
}

/// Runs Helm on the release `docket`; what it prints.
fn helm(arguments: &[&str]) -> Result<String> {
    let output = Command::new("helm")
        .args(arguments)
        .args(["--namespace", "docket-system"])
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "helm {arguments:?}: {told}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The chart under another version, which the operator's pods carry as a label.
fn next_chart(folder: &Path) -> Result<String> {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/docket");
    let folder = folder.to_str().context("a name that is no text")?;
    let version = ["--version=9.9.9", "--app-version=9.9.9"];
    helm(&[&["package", chart, "--destination", folder], &version[..]].concat())?;
    Ok(format!("{folder}/docket-9.9.9.tgz"))
}

/// The pods of the operator that are not about to end.
async fn operators(it: &Scenario) -> Result<Vec<String>> {
    let system = Objects::new(it.client.clone(), "docket-system");
    let ours = ListParams::default().labels("app.kubernetes.io/name=docket-operator");
    let pods = system.api::<Pod>().list(&ours).await?.into_iter();
    let stay = pods.filter(|pod| pod.metadata.deletion_timestamp.is_none());
    Ok(stay.map(|pod| pod.name_any()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_and_a_downgrade_by_helm_replace_no_pod_of_a_tenant_and_fail_no_request() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let traffic = traffic(it).await?;
        let before = pods(it).await?;
        let folder = tempfile::tempdir()?;
        let next = next_chart(folder.path())?;
        let upgrade = ["upgrade", "docket", &next, "--reuse-values"];
        let downgrade = ["rollback", "docket"];
        for (step, documents) in [(&upgrade[..], 1_000), (&downgrade[..], 2_000)] {
            let old = operators(it).await?;
            helm(&[step, &["--wait", "--timeout=3m"]].concat())?;
            until("new operators", async || {
                let new = operators(it).await?;
                let all = !new.is_empty() && new.iter().all(|pod| !old.contains(pod));
                Ok(all.then_some(()).ok_or_else(|| format!("{new:?}")))
            })
            .await?;
            // A quota reaches the pods that run.
            let quota = json!({"clients": [{"name": "globex", "quota": {"documents": documents}}]});
            it.objects
                .merge::<DocumentTenant>(TENANT, json!({"spec": quota}))
                .await?;
            it.wait_ready().await?;
            traffic.flows(FLOW).await?;
            let now = pods(it).await?;
            ensure!(now == before, "{step:?} replaced {before:?} by {now:?}");
        }
        let answered = traffic.all_went_well().await?;
        eprintln!("{answered} requests while operators came and went");
        Ok(())
    })
    .await;
}

/// Whether a certificate is served that this caller believes.
async fn is_served(caller: &Documents) -> Result<Result<(), String>> {
    let answer = caller.request(Method::GET, "documents").send().await;
    Ok(answer.map(drop).map_err(|error| format!("{error:?}")))
}

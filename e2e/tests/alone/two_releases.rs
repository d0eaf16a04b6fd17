//! A second release of the chart beside the first, for one namespace, without the CRD.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use docket_e2e::objects::Objects;
use docket_e2e::scenario::{Scenario, scenario};
use docket_e2e::wait::until;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/docket");
const CRD: &str = "documenttenants.docket.dev";

fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program} {arguments:?}: {told}{failed}"
    );
    Ok(told)
}

/// The images of the first release.
fn images() -> Result<Value> {
    let values = [
        "get",
        "values",
        "docket",
        "--namespace",
        "docket-system",
        "--output",
        "json",
    ];
    let values: Value = serde_json::from_str(&run("helm", &values)?)?;
    let image = |part: &Value| json!({"image": part["image"]});
    Ok(json!({
        "image": values["image"],
        "apiServer": image(&values["apiServer"]),
        "collector": image(&values["collector"]),
    }))
}

async fn versions(it: &Scenario) -> Result<Option<String>> {
    let crds: Api<CustomResourceDefinition> = Api::all(it.client.clone());
    Ok(crds.get(CRD).await?.resource_version())
}

/// The operator of the second release works, and the first one, which cares for all namespaces, sees it.
async fn both_are_there(it: &Scenario) -> Result<()> {
    run(
        "kubectl",
        &[
            "--namespace",
            &it.namespace,
            "rollout",
            "status",
            "deployment/second-operator",
            "--timeout=2m",
        ],
    )?;
    let claim: Lease = Objects::new(it.client.clone(), &it.namespace)
        .get("docket-operator-claim")
        .await?;
    let holder = claim.spec.and_then(|spec| spec.holder_identity);
    let lease = format!("{0}/docket-operator-{0}", it.namespace);
    ensure!(
        holder.as_deref() == Some(&lease),
        "{holder:?} holds the claim"
    );
    until("a word of the first operator", async || {
        let log = [
            "--namespace",
            "docket-system",
            "logs",
            "deployment/docket-operator",
            "--since=5m",
        ];
        let said = run("kubectl", &log)?;
        let of_both = said
            .lines()
            .any(|line| line.contains("another operator cares for") && line.contains(&lease));
        Ok(of_both
            .then_some(())
            .ok_or_else(|| "it says nothing".to_owned()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_release_works_beside_the_first_which_says_so() {
    scenario(async |it| {
        let before = versions(it).await?;
        let mut values = images()?;
        values["crds"] = json!({"install": false});
        values["watch"] = json!({"namespaces": [it.namespace]});
        values["dashboards"] = json!({"enabled": false});
        let values = format!("{values}");
        let file = tempfile(&values)?;
        let file = file.path().to_str().context("a path")?;
        run(
            "helm",
            &[
                "install",
                "second",
                CHART,
                "--namespace",
                &it.namespace,
                "--values",
                file,
            ],
        )?;
        let told = both_are_there(it).await;
        run(
            "helm",
            &["uninstall", "second", "--namespace", &it.namespace],
        )?;
        told?;
        ensure!(
            versions(it).await? == before,
            "the CRD is not the first release's any more"
        );
        Ok(())
    })
    .await;
}

fn tempfile(content: &str) -> Result<tempfile::NamedTempFile> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), content)?;
    Ok(file)
}

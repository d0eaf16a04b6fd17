use anyhow::{Context, Result, ensure};
use docket_crds::{DocumentTenant, names};
use docket_e2e::documents::Documents;
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use docket_e2e::wait::until;
use docket_testing_support::Authority;
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::api::ListParams;
use reqwest::{Method, StatusCode};
use serde_json::json;

/// A tenant with a certificate of `authority` for its Service.
async fn tenant(it: &Scenario, authority: &Authority) -> Result<DocumentTenant> {
    let own = authority.certify(&format!("acme-api.{}.svc", it.namespace))?;
    let secret: Secret = serde_json::from_value(json!({
        "metadata": {"name": "acme-tls"}, "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": own.certificate, "tls.key": own.key},
    }))?;
    it.objects.create(&secret).await?;
    let mut spec = it.spec(&["globex"]);
    spec["api"]["tls"] = json!({"secretRef": {"name": "acme-tls"}});
    it.ready(spec).await
}

#[tokio::test]
async fn with_a_certificate_the_api_speaks_tls_under_its_services_name_and_nothing_else() {
    scenario(async |it| {
        let (authority, other) = (Authority::new("ours")?, Authority::new("other")?);
        let ready = tenant(it, &authority).await?;
        let status = serde_json::to_value(&ready.status)?;
        let url = format!("https://acme-api.{}.svc", it.namespace);
        ensure!(status["api"]["url"] == url, "{status}");

        let key = it
            .objects
            .secret(&names::api_keys_secret(TENANT), "globex")
            .await?;
        let with = async |authority| {
            let caller = ("globex", key.as_str());
            Documents::of_service_with_tls(
                &it.objects,
                &names::api_name(TENANT),
                &[authority],
                caller,
            )
            .await
        };
        let documents = with(&authority).await?;
        until("an answer over TLS", async || {
            let answer = documents.request(Method::GET, "documents").send().await;
            Ok(match answer.map(|answer| answer.status()) {
                Ok(StatusCode::OK) => Ok(()),
                answer => Err(format!("{answer:?}")),
            })
        })
        .await?;
        let id = documents.upload("sealed.txt", b"sealed").await?;
        ensure!(documents.content(id).await? == b"sealed");

        let distrust = with(&other).await?.request(Method::GET, "documents");
        let refused = distrust.send().await.err().context("another authority")?;
        ensure!(
            format!("{refused:?}").contains("InvalidCertificate"),
            "{refused:?}"
        );

        let service: Service = it.objects.get(&names::api_name(TENANT)).await?;
        let spec = service.spec.context("no spec")?;
        let ports: Vec<i32> = spec.ports.iter().flatten().map(|it| it.port).collect();
        ensure!(ports == [443, 8001], "{ports:?}");
        let address = spec.cluster_ip.context("no cluster IP")?;
        for port in ports {
            let plain = reqwest::Client::builder().no_proxy().build()?;
            let plain = plain.get(format!("http://{address}:{port}/livez")).send();
            ensure!(plain.await.is_err(), "plain HTTP is answered on {port}");
        }

        let pods = it.objects.api::<Pod>().list(&ListParams::default()).await?;
        let statuses = pods
            .into_iter()
            .filter_map(|pod| pod.status?.container_statuses);
        let restarts: i32 = statuses.flatten().map(|it| it.restart_count).sum();
        ensure!(restarts == 0, "the probes fail");
        Ok(())
    })
    .await;
}

//! The death of what all tenants share.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use docket_crds::{labels, names};
use docket_e2e::documents::Documents;
use docket_e2e::kill::kill_container;
use docket_e2e::objects::Objects;
use docket_e2e::scenario::{DEV_NAMESPACE, Scenario, TENANT, scenario};
use docket_e2e::wait::until;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const CLIENTS: usize = 8;
/// Time that a client lets pass before it asks again.
const PAUSE: Duration = Duration::from_millis(200);
/// Uploads before each death and after it.
const FLOW: usize = 30;

/// What was answered with 201: the id, and the content.
type Promised = Arc<Mutex<Vec<(i64, String)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_death_of_a_pods_process_of_postgres_and_of_s3() {
    scenario(async |it| {
        let mut spec = it.spec(&["globex"]);
        spec["api"]["replicas"] = json!(2);
        it.ready(spec).await?;
        let (promised, stopped) = (Promised::default(), Arc::new(AtomicBool::new(false)));
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            let documents = it.documents("globex").await?;
            clients.push(tokio::spawn(work(
                number,
                documents,
                promised.clone(),
                stopped.clone(),
            )));
        }
        let shared = Objects::new(it.client.clone(), DEV_NAMESPACE);
        for (objects, pod, container) in [
            (&it.objects, api_pod(it).await?, names::API_CONTAINER),
            (&shared, "postgres-0".to_owned(), "postgres"),
            (&shared, "s3-0".to_owned(), "s3"),
        ] {
            more(&promised, FLOW).await?;
            kill_container(objects, &pod, container).await?;
            more(&promised, FLOW).await?;
            let so_far = promised.lock().expect("a lock").len();
            eprintln!("{container} was killed and came back; {so_far} acknowledged");
        }
        stopped.store(true, Ordering::Relaxed);
        for client in clients {
            client.await??;
        }
        let documents = it.documents("globex").await?;
        let promised = promised.lock().expect("a lock").clone();
        for (id, content) in &promised {
            let read = documents.content(*id).await;
            let read = read.with_context(|| format!("document {id} was promised"))?;
            ensure!(read == content.as_bytes(), "document {id} is another");
        }
        eprintln!("{} acknowledged, all there and the same", promised.len());
        Ok(())
    })
    .await;
}

async fn api_pod(it: &Scenario) -> Result<String> {
    let ours = ListParams::default().labels(&labels::of_tenant(TENANT));
    let pods = it.objects.api::<Pod>().list(&ours).await?;
    let pod = pods.items.first().context("no pod")?;
    Ok(pod.name_any())
}

/// Waits until `more` uploads have been acknowledged from now on.
async fn more(promised: &Promised, more: usize) -> Result<()> {
    let count = || promised.lock().expect("a lock").len();
    let before = count();
    until("more uploads", async || {
        let now = count();
        Ok((now >= before + more).then_some(()).ok_or(now))
    })
    .await
}

/// Uploads document after document, asking again while there is no answer or a 503.
async fn work(
    number: usize,
    documents: Documents,
    promised: Promised,
    stopped: Arc<AtomicBool>,
) -> Result<()> {
    let mut turn = 0;
    while !stopped.load(Ordering::Relaxed) {
        turn += 1;
        let content = format!("document {turn} of client {number}\n").repeat(1 + turn * 37 % 3000);
        let key = format!("\"{number}-{turn}\"");
        while let Err(wait) = upload(&documents, &key, &content, &promised).await? {
            tokio::time::sleep(wait).await;
        }
    }
    Ok(())
}

/// `Ok(Err(wait))` when it should be tried again.
async fn upload(
    documents: &Documents,
    key: &str,
    content: &str,
    promised: &Promised,
) -> Result<Result<(), Duration>> {
    let part = Part::bytes(content.as_bytes().to_vec()).file_name("fault.txt");
    let answer = documents
        .request(Method::PUT, "upload-document")
        .header("Idempotency-Key", key)
        .multipart(Form::new().part("file", part))
        .timeout(Duration::from_secs(30))
        .send()
        .await;
    let Ok(answer) = answer else {
        return Ok(Err(PAUSE));
    };
    match answer.status() {
        StatusCode::CREATED => {
            // A part of an answer promises nothing.
            let Ok(body) = answer.json::<Value>().await else {
                return Ok(Err(PAUSE));
            };
            let id = body["document_id"].as_i64().context("no document_id")?;
            let mut promised = promised.lock().expect("a lock");
            promised.push((id, content.to_owned()));
            Ok(Ok(()))
        }
        // The attempt before is still under way, or was until its server died.
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT => Ok(Err(PAUSE)),
        status => {
            let body = answer.text().await.unwrap_or_default();
            anyhow::bail!("an upload was answered with {status}: {body}")
        }
    }
}

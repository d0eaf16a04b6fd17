//! What a tenant promises by saying that it is Ready.

use anyhow::{Result, ensure};
use docket_crds::{ConditionType, names};
use docket_e2e::documents::Documents;
use docket_e2e::scenario::{Scenario, scenario, tenant};
use futures::future::{join_all, try_join};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};

/// All of them start at the same time, on a node that has two cores.
const TENANTS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_to_each_of_many_new_tenants_is_answered() {
    scenario(async |it| {
        let names: Vec<String> = (0..TENANTS).map(|number| format!("t{number}")).collect();
        let answers = join_all(names.iter().map(|name| first_requests(it, name))).await;
        let failures = answers.into_iter().filter_map(Result::err);
        let failures: Vec<String> = failures.map(|error| format!("{error:#}")).collect();
        ensure!(failures.is_empty(), "{failures:#?}");
        Ok(())
    })
    .await;
}

/// A list for one client and an upload for the other, sent once each, as soon as the tenant is Ready.
async fn first_requests(it: &Scenario, name: &str) -> Result<()> {
    let spec = it.small_spec(&["globex", "initech"]);
    it.objects.create(&tenant(name, spec)?).await?;
    it.wait_condition_of(name, ConditionType::Ready, "True", "Ready")
        .await?;
    let (keys, service) = (names::api_keys_secret(name), names::api_name(name));
    let documents = async |client: &str| {
        let key = it.objects.secret(&keys, client).await?;
        Documents::of_service(&it.objects, &service, client, &key).await
    };
    let (reader, writer) = (documents("globex").await?, documents("initech").await?);
    let form = Form::new().part("file", Part::text("first").file_name("first.txt"));
    let upload = writer
        .request(Method::PUT, "upload-document")
        .multipart(form);
    let list = reader.request(Method::GET, "documents");
    try_join(
        answered(name, list, StatusCode::OK),
        answered(name, upload, StatusCode::CREATED),
    )
    .await?;
    Ok(())
}

async fn answered(name: &str, request: RequestBuilder, status: StatusCode) -> Result<()> {
    let answer = request.send().await?;
    let answered = answer.status();
    let body = answer.text().await?;
    ensure!(answered == status, "{name}: {answered}: {body}");
    Ok(())
}

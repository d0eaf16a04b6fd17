use anyhow::{Context, Result, ensure};
use docket_e2e::documents::Documents;
use docket_e2e::retry::send;
use docket_e2e::scenario::scenario;
use reqwest::header::{CONTENT_RANGE, ETAG, IF_NONE_MATCH, IF_RANGE, LINK, RANGE};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

async fn get(documents: &Documents, path: &str) -> Result<Response> {
    Ok(documents.get(path).await?.error_for_status()?)
}

#[tokio::test]
async fn pages_of_a_list_are_followed_by_their_links_until_the_oldest_document() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let documents = it.documents("globex").await?;
        for name in ["a.txt", "b.txt", "c.txt"] {
            documents.upload(name, b"x").await?;
        }
        let (mut path, mut names) = ("documents?limit=2".to_owned(), Vec::new());
        loop {
            let response = get(&documents, &path).await?;
            let link = response.headers().get(LINK).cloned();
            let page: Value = response.json().await?;
            for document in page["documents"].as_array().context("a list")? {
                names.push(document["filename"].clone());
            }
            let Some(link) = link else { break };
            path = link
                .to_str()?
                .strip_prefix("</clients/globex/")
                .and_then(|rest| rest.strip_suffix(">; rel=\"next\""))
                .with_context(|| format!("{link:?}"))?
                .to_owned();
        }
        ensure!(names == ["c.txt", "b.txt", "a.txt"], "{names:?}");
        let page: Value = get(&documents, "documents?name=B.TX").await?.json().await?;
        ensure!(page["documents"][0]["filename"] == "b.txt", "{page}");
        ensure!(page["next"] == Value::Null, "{page}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_download_that_broke_off_is_resumed_from_s3_where_it_ended() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let documents = it.documents("globex").await?;
        // More than one part of a multipart upload.
        let content: Vec<u8> = (0..9_000_000_u32).map(|i| (i % 251) as u8).collect();
        let id = documents.upload("large.txt", &content).await?;
        let path = format!("documents/{id}/content");
        let etag = get(&documents, &path).await?.headers()[ETAG].clone();

        let part = async |range: &str| {
            send(|| {
                let request = documents.request(Method::GET, &path);
                request.header(RANGE, range).header(IF_RANGE, &etag)
            })
            .await
        };
        let first = part("bytes=0-8400000").await?;
        ensure!(first.status() == StatusCode::PARTIAL_CONTENT);
        ensure!(first.headers()[CONTENT_RANGE] == "bytes 0-8400000/9000000");
        let mut read = first.bytes().await?.to_vec();
        let rest = part(&format!("bytes={}-", read.len())).await?;
        ensure!(rest.headers()[CONTENT_RANGE] == "bytes 8400001-8999999/9000000");
        read.extend(rest.bytes().await?);
        ensure!(read == content);

        let past = part("bytes=9000000-").await?;
        ensure!(past.status() == StatusCode::RANGE_NOT_SATISFIABLE);
        let several = part("bytes=0-1,8999998-").await?;
        let length = several.content_length();
        let body = several.bytes().await?;
        ensure!(length == Some(body.len() as u64), "{length:?} {body:?}");

        let had = send(|| {
            let request = documents.request(Method::GET, &path);
            request.header(IF_NONE_MATCH, &etag)
        })
        .await?;
        ensure!(had.status() == StatusCode::NOT_MODIFIED);
        Ok(())
    })
    .await;
}

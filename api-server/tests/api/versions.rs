//! New content for a document, and the contents that it had before, against a real Postgres.

use axum::Router;
use axum::body::Body;
use docket_api_server::public_router;
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderName, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::audit::actions;
use crate::support::postgres::Postgres;
use crate::support::requests::{ask, ask_with, etag_of, form, get, replace, sha256, upload};
use crate::support::{Answer, eventually, send};

const ANY: [(HeaderName, &str); 1] = [(header::IF_MATCH, "*")];

fn quoted(content: &[u8]) -> String {
    format!("\"{}\"", sha256(content))
}

async fn versions(router: &Router, query: &str) -> Answer {
    get(router, "globex", &format!("documents/1/versions{query}")).await
}

fn numbers(answer: &Answer) -> Vec<i64> {
    let versions = answer.json()["versions"].clone();
    let versions = versions.as_array().expect("versions").iter();
    versions
        .map(|version| version["version"].as_i64().expect("a number"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn new_content_is_a_new_version_and_the_old_one_stays_readable() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let first = upload(&router, "globex", "a.txt", b"one").await.json()["metadata"].clone();
    let large: Vec<u8> = (0..9_000_000_u32).map(|i| (i % 251) as u8).collect();

    let had = quoted(b"one");
    let answer = replace(&router, "globex", 1, &[(header::IF_MATCH, &had)], &large).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(etag_of(&answer), quoted(&large));
    let document = answer.json();
    assert_eq!(document["version"], 2);
    assert_eq!(document["filename"], "a.txt", "the document keeps its name");
    assert_eq!(document["file_size"], 9_000_000);
    assert_eq!(document["file_type"], "application/octet-stream");
    assert_eq!(document["sha256"], sha256(&large));
    assert_eq!(document["upload_timestamp"], first["upload_timestamp"]);
    assert!(document["modified_timestamp"].as_str() > first["modified_timestamp"].as_str());
    assert_eq!(get(&router, "globex", "documents/1").await.json(), document);
    assert!(get(&router, "globex", "documents/1/content").await.body == large);

    let listed = versions(&router, "").await.json();
    assert_eq!(listed["next"], Value::Null);
    let (new, old) = (&listed["versions"][0], &listed["versions"][1]);
    assert_eq!(new["sha256"], document["sha256"]);
    assert_eq!(new["upload_timestamp"], document["modified_timestamp"]);
    for member in [
        "version",
        "file_size",
        "file_type",
        "sha256",
        "upload_timestamp",
    ] {
        assert_eq!(old[member], first[member], "{member}");
    }
    let mut superuser = postgres.superuser().await;
    let schema = tenancy.identity("globex").schema;
    assert_eq!(
        actions(&mut superuser, &schema, 1).await,
        ["upload", "replace"]
    );
    assert_eq!(tenancy.objects(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_version_is_read_as_the_present_one_is() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"0123456789").await;
    replace(&router, "globex", 1, &ANY, b"new").await;
    for (version, content) in [(1, b"0123456789".as_slice()), (2, b"new")] {
        let path = format!("documents/1/versions/{version}/content");
        let whole = get(&router, "globex", &path).await;
        assert_eq!(whole.body, content);
        assert_eq!(etag_of(&whole), quoted(content));
        assert_eq!(whole.headers[header::CONTENT_TYPE], "text/plain");
        let part = [(header::RANGE, "bytes=1-2")];
        let part = ask_with(&router, Method::GET, "globex", &path, &part).await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.body, content[1..3]);
        let tag = quoted(content);
        let had = [(header::IF_NONE_MATCH, tag.as_str())];
        let had = ask_with(&router, Method::GET, "globex", &path, &had).await;
        assert_eq!(had.status, StatusCode::NOT_MODIFIED);
        let head = ask(&router, Method::HEAD, "globex", &path).await;
        assert_eq!(
            head.headers[header::CONTENT_LENGTH],
            content.len().to_string()
        );
        assert!(head.body.is_empty());
    }
    for (path, status) in [
        ("documents/1/versions/3/content", 404),
        ("documents/1/versions/9223372036854775807/content", 404),
        ("documents/1/versions/0/content", 400),
        ("documents/2/versions", 404),
        ("documents/2/versions/1/content", 404),
    ] {
        assert_eq!(get(&router, "globex", path).await.status, status, "{path}");
        assert_eq!(get(&router, "initech", path).await.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_versions_are_listed_a_page_at_a_time() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"1").await;
    for content in [b"2", b"3", b"4", b"5"] {
        replace(&router, "globex", 1, &ANY, content).await;
    }
    let first = versions(&router, "?limit=2").await;
    assert_eq!(numbers(&first), [5, 4]);
    assert_eq!(
        first.headers[header::LINK],
        "</clients/globex/documents/1/versions?limit=2&cursor=4>; rel=\"next\""
    );
    let second = versions(&router, "?limit=2&cursor=4").await;
    assert_eq!(numbers(&second), [3, 2]);
    let last = versions(&router, "?limit=2&cursor=2").await;
    assert_eq!(numbers(&last), [1]);
    assert_eq!(last.json()["next"], Value::Null);
    assert_eq!(
        versions(&router, "?cursor=x").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_replaced_only_by_who_says_what_it_replaces() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"one").await;
    let (one, other) = (quoted(b"one"), quoted(b"other"));
    let (one, other) = (one.as_str(), other.as_str());
    for (headers, status, kind) in [
        (vec![], 428, "precondition-required"),
        (vec![(header::IF_MATCH, other)], 412, "precondition-failed"),
        (
            vec![(header::IF_MATCH, "nonsense")],
            412,
            "precondition-failed",
        ),
        (
            vec![(header::IF_MATCH, one), (header::IF_NONE_MATCH, "*")],
            412,
            "precondition-failed",
        ),
        (
            vec![
                (header::IF_MATCH, one),
                (
                    HeaderName::from_static("repr-digest"),
                    "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:",
                ),
            ],
            400,
            "bad-request",
        ),
    ] {
        let answer = replace(&router, "globex", 1, &headers, b"new").await;
        assert_eq!(answer.status, status, "{headers:?} {answer:?}");
        assert_eq!(answer.json()["type"], format!("urn:docket:problem:{kind}"));
    }
    assert_eq!(
        replace(&router, "globex", 2, &ANY, b"new").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(numbers(&versions(&router, "").await), [1]);
    eventually("what was refused is gone", async || tenancy.objects() == 1).await;
    let any = replace(&router, "globex", 1, &ANY, b"new").await;
    assert_eq!(any.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_replace_the_same_content_at_once_one_wins() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"0").await;
    let mut had = quoted(b"0");
    for round in 1..=5 {
        let contents: Vec<String> = (0..6).map(|i| format!("{round}:{i}")).collect();
        let replacing = contents.iter().map(|content| {
            let headers = [(header::IF_MATCH, had.as_str())];
            let router = &router;
            async move {
                replace(router, "globex", 1, &headers, content.as_bytes())
                    .await
                    .status
            }
        });
        let statuses = futures::future::join_all(replacing).await;
        let won: Vec<usize> = (0..6).filter(|i| statuses[*i] == StatusCode::OK).collect();
        let lost = statuses
            .iter()
            .filter(|it| **it == StatusCode::PRECONDITION_FAILED);
        assert_eq!((won.len(), lost.count()), (1, 5), "{statuses:?}");
        let stored = get(&router, "globex", "documents/1/content").await;
        assert_eq!(stored.text(), contents[won[0]]);
        had = etag_of(&stored);
    }
    assert_eq!(numbers(&versions(&router, "").await), [6, 5, 4, 3, 2, 1]);
    eventually("what lost is gone", async || tenancy.objects() == 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_the_content_that_was_there_when_it_began() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let large: Vec<u8> = (0..9_000_000_u32).map(|i| (i % 251) as u8).collect();
    upload(&router, "globex", "a.bin", &large).await;
    let request = Request::get("/clients/globex/documents/1/content")
        .header("x-api-key", "globex-key")
        .header(header::HOST, "localhost")
        .body(Body::empty())
        .expect("a request");
    let reading = router.clone().oneshot(request).await.expect("infallible");
    assert_eq!(reading.status(), StatusCode::OK);
    let mut body = reading.into_body().into_data_stream();
    let mut read = body.next().await.expect("a chunk").expect("bytes").to_vec();
    assert!(read.len() < large.len(), "it has only begun");
    let replaced = replace(&router, "globex", 1, &ANY, b"new").await;
    assert_eq!(replaced.status, StatusCode::OK);
    let rest = Body::from_stream(body).collect().await.expect("the rest");
    read.extend(rest.to_bytes());
    assert_eq!(read.len(), large.len());
    assert!(read == large);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_in_the_middle_of_a_replacement_loses_nothing() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app_with(&["--request-timeout=3s"]));
    upload(&router, "globex", "a.txt", b"one").await;

    let (mut sender, stream) = futures::channel::mpsc::channel::<std::io::Result<Vec<u8>>>(1);
    let (parts, body) = form(
        Request::put("/clients/globex/documents/1/content"),
        "globex",
        &ANY,
        &vec![b'x'; 9_000_000],
    )
    .into_parts();
    let request = Request::from_parts(parts, Body::from_stream(stream));
    let replacing = tokio::spawn({
        let router = router.clone();
        async move { send(&router, request).await }
    });
    let body = body.collect().await.expect("a body").to_bytes();
    let (first, rest) = body.split_at(body.len() - 10);
    sender.send(Ok(first.to_vec())).await.expect("sent");
    eventually("it is under way", async || tenancy.objects() == 2).await;
    postgres.stop();
    sender.send(Ok(rest.to_vec())).await.expect("sent");
    drop(sender);
    let answer = replacing.await.expect("no panic");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    eventually("what was not committed is gone", async || {
        tenancy.objects() == 1
    })
    .await;

    postgres.resume();
    eventually("the old content is there", async || {
        get(&router, "globex", "documents/1/content").await.body == b"one"
    })
    .await;
    assert_eq!(numbers(&versions(&router, "").await), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_found_by_its_new_text_and_no_longer_by_the_old() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"An offer for you.").await;
    let found = async |word: &str| {
        let answer = get(&router, "globex", &format!("documents?q={word}")).await;
        answer.json()["documents"].as_array().map(Vec::len)
    };
    assert_eq!(found("offer").await, Some(1));
    let answer = replace(&router, "globex", 1, &ANY, b"An invoice for you.").await;
    assert_eq!(answer.json()["summary"], "An invoice for you.");
    assert_eq!(
        (found("offer").await, found("invoice").await),
        (Some(0), Some(1))
    );
    let image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let answer = replace(&router, "globex", 1, &ANY, image).await;
    assert_eq!(answer.json()["summary"], Value::Null);
    assert_eq!(
        (found("invoice").await, found("txt").await),
        (Some(0), Some(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_count_against_the_quota_of_bytes_but_not_of_documents() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    tenancy.config["clients"][0]["limits"]["documents"]["quota"] =
        serde_json::json!({"documents": 1, "bytes": 10});
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"1234").await;
    let fits = replace(&router, "globex", 1, &ANY, b"123456").await;
    assert_eq!(fits.status, StatusCode::OK, "{fits:?}");
    let refused = replace(&router, "globex", 1, &ANY, b"1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    assert_eq!(refused.json()["type"], "urn:docket:problem:quota-exceeded");
    assert_eq!(numbers(&versions(&router, "").await), [2, 1]);
    eventually("what was refused is gone", async || tenancy.objects() == 2).await;
}

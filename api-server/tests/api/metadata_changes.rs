//! Changing a document's name, tags and legal hold, against a real Postgres.

use axum::body::Body;
use docket_api_server::public_router;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::audit::{actions, entries};
use crate::support::postgres::Postgres;
use crate::support::requests::{ask, etag, etag_of, get, patch, upload};
use crate::support::send;

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_changes_what_it_names_and_answers_with_the_new_metadata() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let mut expected = upload(&router, "globex", "a.txt", b"one").await.json()["metadata"].clone();
    let mut tag = etag(&router, "documents/1").await;
    for (body, changes) in [
        (
            r#"{"filename": "folder/offer.txt", "tags": ["b", " a ", "b"]}"#,
            json!({"filename": "offer.txt", "tags": ["a", "b"]}),
        ),
        (r#"{"legal_hold": true}"#, json!({"legal_hold": true})),
        (
            r#"{"tags": null, "legal_hold": false}"#,
            json!({"tags": [], "legal_hold": false}),
        ),
    ] {
        let answer = patch(&router, 1, &tag, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let new = answer.json();
        assert!(new["modified_timestamp"].as_str() > expected["modified_timestamp"].as_str());
        for (member, value) in changes.as_object().expect("changes") {
            expected[member] = value.clone();
        }
        expected["modified_timestamp"] = new["modified_timestamp"].clone();
        assert_eq!(new, expected, "{body}");
        let read = get(&router, "globex", "documents/1").await;
        assert_eq!(read.json(), expected);
        tag = etag_of(&answer);
        assert_eq!(etag_of(&read), tag);
    }
    let mut superuser = postgres.superuser().await;
    let schema = tenancy.identity("globex").schema;
    let entries = entries(&mut superuser, &schema, 1).await;
    let update = &entries[1];
    assert_eq!((update.0.as_str(), update.1), ("update", 1));
    assert!(update.2.starts_with("key:"), "{update:?}");
    assert_eq!(entries.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_changes_nothing_writes_nothing() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"one").await;
    let before = get(&router, "globex", "documents/1").await;
    for body in ["{}", r#"{"filename": "a.txt", "tags": []}"#] {
        let answer = patch(&router, 1, "*", body).await;
        assert_eq!(answer.json(), before.json(), "{body}");
        assert_eq!(etag_of(&answer), etag_of(&before));
    }
    let schema = tenancy.identity("globex").schema;
    let mut superuser = postgres.superuser().await;
    assert_eq!(actions(&mut superuser, &schema, 1).await, ["upload"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_cannot_be_made_is_a_problem_that_says_why() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"one").await;
    let before = get(&router, "globex", "documents/1").await.json();
    let long = format!(r#"{{"filename": "{}"}}"#, "a".repeat(70_000));
    for (body, status, sentence) in [
        ("{", 400, "not JSON"),
        ("[]", 422, "object"),
        (
            r#"{"version": 7, "owner": "me"}"#,
            422,
            r#""owner", "version""#,
        ),
        (r#"{"filename": null}"#, 422, "filename must be"),
        (r#"{"filename": "a\u0000/"}"#, 422, "name"),
        (r#"{"tags": ["a\u0000"]}"#, 422, "tags"),
        (&long, 413, "65536"),
    ] {
        let answer = patch(&router, 1, "*", body).await;
        assert_eq!(answer.status, status, "{body} {answer:?}");
        let detail = answer.json()["detail"].as_str().map(str::to_owned);
        assert!(
            detail.is_some_and(|detail| detail.contains(sentence)),
            "{answer:?}"
        );
    }
    for (media_type, status) in [
        (Some("application/json; charset=utf-8"), 200),
        (Some("Application/Merge-Patch+JSON"), 200),
        (Some("application/json-patch+json"), 415),
        (Some("text/plain"), 415),
        (None, 415),
    ] {
        let mut request = Request::patch("/clients/globex/documents/1")
            .header("x-api-key", "globex-key")
            .header(header::IF_MATCH, "*");
        if let Some(media_type) = media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        let request = request.body(Body::from("{}")).expect("a request");
        let answer = send(&router, request).await;
        assert_eq!(answer.status, status, "{media_type:?}");
        let accepted = "application/merge-patch+json, application/json";
        let told = answer.headers.get("accept-patch");
        assert_eq!(told.is_some_and(|told| told == accepted), status == 415);
    }
    let mut request =
        Request::patch("/clients/globex/documents/1").header("x-api-key", "globex-key");
    request = request.header(header::CONTENT_TYPE, "application/json");
    let unconditional = send(&router, request.body(Body::from("{}")).expect("a request")).await;
    assert_eq!(unconditional.status, StatusCode::PRECONDITION_REQUIRED);
    let stale = patch(&router, 1, "\"old\"", r#"{"legal_hold": true}"#).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(
        patch(&router, 2, "*", "{}").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(get(&router, "globex", "documents/1").await.json(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_patch_the_same_metadata_at_once_one_wins() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"one").await;
    for round in 0..5 {
        let tag = etag(&router, "documents/1").await;
        let patching = (0..6).map(|i| {
            let (router, tag) = (&router, &tag);
            async move {
                let body = json!({"filename": format!("{round}-{i}.txt")}).to_string();
                patch(router, 1, tag, &body).await.status
            }
        });
        let statuses = futures::future::join_all(patching).await;
        let won: Vec<usize> = (0..6).filter(|i| statuses[*i] == StatusCode::OK).collect();
        let lost = statuses
            .iter()
            .filter(|it| **it == StatusCode::PRECONDITION_FAILED);
        assert_eq!((won.len(), lost.count()), (1, 5), "{statuses:?}");
        let stored = get(&router, "globex", "documents/1").await.json();
        assert_eq!(stored["filename"], format!("{round}-{}.txt", won[0]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_is_indexed_anew_and_nothing_else_is() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"one").await;
    let schema = tenancy.identity("globex").schema;
    let mut superuser = postgres.superuser().await;
    let sql =
        format!("UPDATE {schema}.document_metadata SET text_state = 'Indexed', summary = 'of it'");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut superuser)
        .await
        .expect("read");
    let read = format!("SELECT text_state FROM {schema}.document_metadata");
    for (body, expected) in [
        (r#"{"tags": ["a"]}"#, "Indexed"),
        (r#"{"filename": "b.txt"}"#, "Pending"),
    ] {
        let answer = patch(&router, 1, "*", body).await;
        assert_eq!(answer.json()["summary"], "of it", "its text is the same");
        let state: String = sqlx::query_scalar(AssertSqlSafe(read.as_str()))
            .fetch_one(&mut superuser)
            .await
            .expect("a state");
        assert_eq!(state, expected, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_under_legal_hold_is_not_deleted() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"one").await;
    patch(&router, 1, "*", r#"{"legal_hold": true}"#).await;
    let refused = ask(&router, Method::DELETE, "globex", "documents/1").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let problem: Value = refused.json();
    assert_eq!(problem["type"], "urn:docket:problem:legal-hold");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("legal_hold to false"))
    );
    assert_eq!(
        get(&router, "globex", "documents/1").await.status,
        StatusCode::OK
    );
    patch(&router, 1, "*", r#"{"legal_hold": false}"#).await;
    let deleted = ask(&router, Method::DELETE, "globex", "documents/1").await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
}

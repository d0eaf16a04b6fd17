//! Deleting documents and bringing them back, against a real Postgres.

use docket_api_server::{data_store_router, public_router};
use http::{HeaderName, Method, StatusCode, header};

use crate::support::audit::actions;
use crate::support::postgres::Postgres;
use crate::support::requests::{ask, ask_with, etag, get, patch, replace, upload};

const ANY: [(HeaderName, &str); 1] = [(header::IF_MATCH, "*")];

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_document_is_nowhere_until_it_is_restored_as_it_was() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let app = tenancy.app();
    let (router, data_store) = (public_router(app.clone()), data_store_router(app));
    upload(&router, "globex", "a.txt", b"one").await;
    replace(&router, "globex", 1, &ANY, b"two").await;
    patch(&router, 1, "*", r#"{"tags": ["offer"]}"#).await;
    let before = get(&router, "globex", "documents/1").await.json();

    let untouched = ask(&router, Method::POST, "globex", "documents/1/restore").await;
    assert_eq!(
        untouched.status,
        StatusCode::NOT_FOUND,
        "it is not in the trash"
    );
    let deleted = ask(&router, Method::DELETE, "globex", "documents/1").await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert!(deleted.body.is_empty());
    for (method, path) in [
        (Method::GET, "documents/1"),
        (Method::HEAD, "documents/1"),
        (Method::DELETE, "documents/1"),
        (Method::GET, "documents/1/content"),
        (Method::HEAD, "documents/1/content"),
        (Method::GET, "documents/1/versions"),
        (Method::GET, "documents/1/versions/1/content"),
        (Method::HEAD, "documents/1/versions/2/content"),
    ] {
        let answer = ask(&router, method.clone(), "globex", path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    for answer in [
        patch(&router, 1, "*", r#"{"legal_hold": true}"#).await,
        replace(&router, "globex", 1, &ANY, b"three").await,
        get(&data_store, "globex", "documents/1").await,
    ] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
    }
    let list = get(&router, "globex", "documents").await.json();
    assert_eq!(list["documents"].as_array().map(Vec::len), Some(0));

    let restored = ask(&router, Method::POST, "globex", "documents/1/restore").await;
    assert_eq!(restored.status, StatusCode::OK, "{restored:?}");
    let mut after = restored.json();
    assert_eq!(get(&router, "globex", "documents/1").await.json(), after);
    assert_eq!(
        restored.headers[header::ETAG],
        etag(&router, "documents/1").await
    );
    assert!(after["modified_timestamp"].as_str() > before["modified_timestamp"].as_str());
    after["modified_timestamp"] = before["modified_timestamp"].clone();
    assert_eq!(after, before);
    for (path, content) in [
        ("documents/1/content", "two"),
        ("documents/1/versions/1/content", "one"),
    ] {
        assert_eq!(get(&router, "globex", path).await.text(), content);
    }
    let again = ask(&router, Method::POST, "globex", "documents/1/restore").await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let mut superuser = postgres.superuser().await;
    let schema = tenancy.identity("globex").schema;
    assert_eq!(
        actions(&mut superuser, &schema, 1).await,
        ["upload", "replace", "update", "delete", "restore"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_deleted_only_as_the_conditions_have_it() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"one").await;
    let old = etag(&router, "documents/1").await;
    patch(&router, 1, "*", r#"{"tags": ["new"]}"#).await;
    let new = etag(&router, "documents/1").await;
    for (name, tag, status) in [
        (header::IF_MATCH, &old, 412),
        (header::IF_NONE_MATCH, &new, 412),
        (header::IF_MATCH, &new, 204),
    ] {
        let headers = [(name, tag.as_str())];
        let answer = ask_with(&router, Method::DELETE, "globex", "documents/1", &headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
    let other = ask(&router, Method::DELETE, "initech", "documents/1").await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_deleted_and_replaced_at_once_is_in_one_state_and_loses_nothing() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    for id in 1..=8 {
        upload(&router, "globex", "a.txt", b"one").await;
        let path = format!("documents/{id}");
        let (replaced, deleted) = tokio::join!(
            replace(&router, "globex", id, &ANY, b"two"),
            ask(&router, Method::DELETE, "globex", &path),
        );
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
        let expected = match replaced.status {
            StatusCode::OK => "two",
            StatusCode::NOT_FOUND => "one",
            other => panic!("{other}"),
        };
        assert_eq!(
            get(&router, "globex", &path).await.status,
            StatusCode::NOT_FOUND
        );
        ask(&router, Method::POST, "globex", &format!("{path}/restore")).await;
        let content = get(&router, "globex", &format!("{path}/content")).await;
        assert_eq!(content.text(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_listed_by_itself_the_last_deleted_first_and_tags_filter_both() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    for id in 1..=6 {
        upload(&router, "globex", "a.txt", b"one").await;
        if id % 2 == 0 {
            patch(&router, id, "*", r#"{"tags": ["even", "all"]}"#).await;
        }
    }
    for id in [5, 2, 4] {
        ask(
            &router,
            Method::DELETE,
            "globex",
            &format!("documents/{id}"),
        )
        .await;
    }
    let ids = async |query: &str| {
        let answer = get(&router, "globex", &format!("documents?{query}")).await;
        let documents = answer.json()["documents"].clone();
        let documents = documents.as_array().expect("documents").iter();
        let ids: Vec<i64> = documents
            .map(|it| it["id"].as_i64().expect("an id"))
            .collect();
        (ids, answer.json()["next"].as_str().map(str::to_owned))
    };
    for (query, expected) in [
        ("", vec![6, 3, 1]),
        ("deleted=false", vec![6, 3, 1]),
        ("tag=even", vec![6]),
        ("tag=odd", vec![]),
        ("deleted=true", vec![4, 2, 5]),
        ("deleted=true&tag=all", vec![4, 2]),
        ("deleted=true&type=image/*", vec![]),
    ] {
        assert_eq!(ids(query).await, (expected, None), "{query}");
    }
    let (first, next) = ids("deleted=true&limit=2").await;
    assert_eq!(first, [4, 2]);
    let next = next.expect("more");
    let last = ids(&format!("deleted=true&limit=2&cursor={next}")).await;
    assert_eq!(last, (vec![5], None));
    let trash = get(&router, "globex", "documents?deleted=true")
        .await
        .json();
    assert!(trash["documents"][0]["deleted_timestamp"].is_string());
}

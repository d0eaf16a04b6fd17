//! A tenant that does not run documents.

use axum::Router;
use axum::body::Body;
use docket_api_server::{data_store_router, public_router};
use http::{Method, Request, StatusCode};
use serde_json::json;

use crate::support::postgres::Postgres;
use crate::support::requests::{ask, get, upload};
use crate::support::{Answer, Tenancy, send};

/// The same clients and tables; what was configured of documents is gone.
async fn tenancy(postgres: &Postgres) -> Tenancy {
    let mut tenancy = postgres.tenancy("acme").await;
    tenancy.config["workloads"] = json!({});
    tenancy
}

/// What is open to all.
async fn open(router: &Router, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty());
    send(router, request.expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn its_routes_are_unknown_on_both_ports_and_in_the_openapi_document() {
    let postgres = Postgres::start();
    let tenancy = tenancy(&postgres).await;
    let app = tenancy.app();
    let (router, data_store) = (public_router(app.clone()), data_store_router(app));
    for answer in [
        get(&router, "globex", "documents").await,
        get(&router, "globex", "documents/1/content").await,
        upload(&router, "globex", "a.txt", b"hello").await,
        ask(&data_store, Method::POST, "globex", "documents").await,
        get(&data_store, "globex", "documents/1").await,
    ] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text());
        assert_eq!(answer.json()["type"], "urn:docket:problem:no-route");
    }
    let document = open(&router, "/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths");
    let of_documents = |path: &&String| path.contains("document");
    assert_eq!(paths.keys().find(of_documents), None);
    assert!(paths.contains_key("/clients/{client}/usage"));
    let tags = document["tags"].as_array().expect("tags");
    assert!(tags.iter().all(|tag| tag["name"] != "documents"));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_asks_for_no_object_store_and_clients_are_served_what_is_left() {
    let postgres = Postgres::start();
    let tenancy = tenancy(&postgres).await;
    let router = public_router(tenancy.app());
    let health = open(&router, "/health").await.json();
    assert_eq!(health["status"], "healthy", "{health}");
    assert_eq!(health["components"], json!({"data_store": "healthy"}));
    assert_eq!(open(&router, "/readyz").await.status, StatusCode::OK);
    let used = get(&router, "globex", "usage").await;
    assert_eq!(used.status, StatusCode::OK, "{}", used.text());
    assert_eq!(used.json(), json!({"used": {}, "quota": {}}));
    assert!(!tenancy.folder.path().join("content").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_are_there_again_when_they_are_served_again() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let configured = tenancy.config["workloads"].clone();
    let stored = upload(&public_router(tenancy.app()), "globex", "a.txt", b"hello").await;
    assert_eq!(stored.status, StatusCode::CREATED, "{}", stored.text());

    tenancy.config["workloads"] = json!({});
    let without = public_router(tenancy.app());
    let read = get(&without, "globex", "documents/1").await;
    assert_eq!(read.status, StatusCode::NOT_FOUND);

    tenancy.config["workloads"] = configured;
    let again = public_router(tenancy.app());
    let read = get(&again, "globex", "documents/1").await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text());
}

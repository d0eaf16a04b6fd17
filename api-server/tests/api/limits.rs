//! What a client may send: how often, how much, of which type.

use axum::Router;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::requests::{ask, upload};
use crate::support::{Answer, Tenancy};

fn tenancy(field: &str, limit: Value) -> Tenancy {
    let mut tenancy = Tenancy::without_database("ApiKey");
    tenancy.config[field] = limit;
    tenancy
}

fn tenancy_that_accepts(uploads: Value) -> Tenancy {
    let mut tenancy = Tenancy::without_database("ApiKey");
    tenancy.config["workloads"]["documents"]["uploads"] = uploads;
    tenancy
}

fn slow() -> Tenancy {
    tenancy("rateLimit", json!({"requestsPerSecond": 1, "burst": 2}))
}

/// An answer that needs no database.
async fn cheap(router: &Router, client: &str) -> Answer {
    ask(router, Method::GET, client, "documents?limit=0").await
}

#[tokio::test]
async fn a_client_that_is_too_fast_is_429_and_every_answer_tells_what_is_left() {
    let tenancy = slow();
    let router = docket_api_server::public_router(tenancy.app());
    for left in ["\"default\";r=1;t=1", "\"default\";r=0;t=2"] {
        let answer = cheap(&router, "globex").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.headers["ratelimit"], left);
        assert_eq!(answer.headers["ratelimit-policy"], "\"default\";q=2;w=2");
    }
    let refused = cheap(&router, "globex").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.headers["ratelimit"], "\"default\";r=0;t=2");
    assert_eq!(refused.json()["type"], "urn:docket:problem:rate-limited");
    let other = cheap(&router, "initech").await;
    assert_eq!(
        other.status,
        StatusCode::BAD_REQUEST,
        "another client's share"
    );
}

#[tokio::test]
async fn both_listeners_draw_on_one_share_and_pods_divide_it() {
    let tenancy = slow();
    let file = tenancy.config_file();
    std::fs::write(file.with_file_name("replicas"), "2").expect("written");
    let config = format!("--config={}", file.display());
    let app = tenancy.app_with(&[&config]);
    let public = docket_api_server::public_router(app.clone());
    let data_store = docket_api_server::data_store_router(app);
    assert_eq!(
        cheap(&public, "globex").await.status,
        StatusCode::BAD_REQUEST
    );
    let answer = ask(&data_store, Method::GET, "globex", "documents/0").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn who_proves_nothing_takes_nothing_of_a_clients_share() {
    let tenancy = slow();
    let router = docket_api_server::public_router(tenancy.app());
    for _ in 0..5 {
        let request = http::Request::get("/clients/globex/documents?limit=0");
        let request = request.header("x-api-key", "initech-key");
        let request = request.body(axum::body::Body::empty()).expect("a request");
        let answer = crate::support::send(&router, request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(!answer.headers.contains_key("ratelimit"));
    }
    let answer = cheap(&router, "globex").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn without_a_limit_no_answer_speaks_of_one() {
    let tenancy = Tenancy::without_database("ApiKey");
    let router = docket_api_server::public_router(tenancy.app());
    let answer = cheap(&router, "globex").await;
    assert!(!answer.headers.contains_key("ratelimit-policy"));
}

#[tokio::test]
async fn the_tenants_largest_size_goes_before_the_servers_own() {
    let tenancy = tenancy_that_accepts(json!({"maxBytes": 10}));
    let router = docket_api_server::public_router(tenancy.app());
    let answer = upload(&router, "globex", "a.txt", b"eleven byte").await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("larger than 10 bytes"), "{detail}");
    let answer = upload(&router, "globex", "a.txt", b"ten bytes.").await;
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "no database"
    );
    tenancy.content_becomes_empty().await;
}

#[tokio::test]
async fn a_type_that_is_not_accepted_is_415_by_its_bytes_and_leaves_no_content() {
    let accepted = json!({"acceptedTypes": ["application/pdf", "image/*"]});
    let tenancy = tenancy_that_accepts(accepted);
    let router = docket_api_server::public_router(tenancy.app());
    let long = vec![b'x'; 100_000];
    for content in [b"hello".as_slice(), b"", &long] {
        let answer = upload(&router, "globex", "a.pdf", content).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:docket:problem:type-not-accepted");
        let detail = problem["detail"].to_string();
        assert!(
            detail.contains("text/plain are not accepted here, only application/pdf, image/*"),
            "{detail}"
        );
    }
    // It is declared as text and shows that it is not.
    let answer = upload(&router, "globex", "a.txt", b"%PDF-1.7\n\xe2\xe3\0").await;
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "no database"
    );
    tenancy.content_becomes_empty().await;
}

//! The OpenAPI document is what is served, and the page under `/docs` needs no other host.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Answer, Tenancy, send};

fn router() -> (Router, Tenancy) {
    let tenancy = Tenancy::without_database("ApiKey");
    let router = docket_api_server::public_router(tenancy.app());
    (router, tenancy)
}

async fn ask(router: &Router, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(&*method.to_uppercase()).uri(path);
    send(router, request.body(Body::empty()).expect("a request")).await
}

async fn document() -> (Router, Value) {
    let (router, _tenancy) = router();
    let answer = ask(&router, "GET", "/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    let document = answer.json();
    (router, document)
}

#[tokio::test]
async fn the_document_is_as_it_was_reviewed() {
    let (_, mut document) = document().await;
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    document["info"]["version"] = "of the crate".into();
    insta::assert_yaml_snapshot!(document);
}

/// The paths of a router that has `known`, which axum tells in its debug output only.
pub fn paths(router: &Router, known: &str) -> BTreeSet<String> {
    let debug = format!("{router:?}");
    let paths: BTreeSet<String> = debug
        .split('"')
        .filter(|text| text.len() > 1 && text.starts_with('/') && !text.contains("__private"))
        .map(str::to_owned)
        .collect();
    assert!(
        paths.contains(known),
        "the debug output is another: {debug}"
    );
    paths
}

/// The methods of a path, as the answer to another one tells them; HEAD goes with GET.
async fn methods(router: &Router, path: &str) -> BTreeSet<String> {
    let answer = ask(router, "BREW", &path.replace(['{', '}'], "")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    let allow = answer.headers[header::ALLOW].to_str().expect("ASCII");
    let methods = allow.split(',').map(str::to_lowercase);
    methods.filter(|method| method != "head").collect()
}

#[tokio::test]
async fn every_route_that_is_served_is_documented_and_no_other() {
    let mut issues_tokens = Tenancy::without_database("ApiKey");
    issues_tokens.config["auth"]["issuer"] =
        json!({"url": "https://acme.example", "tokenLifetimeSeconds": 60});
    for tenancy in [Tenancy::without_database("ApiKey"), issues_tokens] {
        let router = docket_api_server::public_router(tenancy.app());
        let document = ask(&router, "GET", "/openapi.json").await.json();
        documents_what_is_served(&router, &document).await;
    }
}

async fn documents_what_is_served(router: &Router, document: &Value) {
    let documented = document["paths"].as_object().expect("paths");
    let names: BTreeSet<String> = documented.keys().cloned().collect();
    assert_eq!(names, paths(router, "/livez"));
    for (path, item) in documented {
        let item = item.as_object().expect("an item");
        let documented = item.keys().filter(|method| *method != "head").cloned();
        let documented: BTreeSet<String> = documented.collect();
        assert_eq!(documented, methods(router, path).await, "{path}");
    }
}

#[tokio::test]
async fn the_routes_of_clients_need_a_key_and_the_others_do_not() {
    let (router, document) = document().await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let needs_key = operation.get("security").is_some();
            let sent = ask(&router, method, &path.replace(['{', '}'], "")).await;
            let refused = sent.status == StatusCode::UNAUTHORIZED;
            assert_eq!(refused, needs_key, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let (_, document) = document().await;
    let mut names = BTreeSet::new();
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').expect("of this document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        if let Some(name) = value.get("operationId") {
            assert!(names.insert(name.to_string()), "{name} is there twice");
        }
        match value {
            Value::Object(members) => left.extend(members.values()),
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    assert!(names.len() > 5, "{names:?}");
}

/// Values of the attributes `src` and `href`.
fn links(html: &str) -> Vec<&str> {
    [" src=\"", " href=\""]
        .into_iter()
        .flat_map(|attribute| html.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[tokio::test]
async fn the_page_and_all_it_needs_come_from_this_server() {
    let (router, _tenancy) = router();
    let page = ask(&router, "GET", "/docs").await;
    assert_eq!(page.status, StatusCode::OK);
    let html = page.text();
    let links = links(&html);
    assert!(links.contains(&"docs/swagger-ui-bundle.js"), "{links:?}");
    for link in links.into_iter().filter(|link| *link != "data:,") {
        assert!(!link.contains(':') && !link.starts_with('/'), "{link}");
        let part = ask(&router, "GET", &format!("/{link}")).await;
        assert_eq!(part.status, StatusCode::OK, "{link}");
        assert!(!part.body.is_empty(), "{link}");
        if link.starts_with("docs/") {
            assert_harmless(&part);
        }
    }
    assert_harmless(&page);
    let start = ask(&router, "GET", "/docs/start.js").await.text();
    assert!(start.contains("url: \"openapi.json\"") && start.contains("validatorUrl: null"));
    for own in [&html, &start] {
        assert!(!own.contains("//cdn") && !own.contains("http"), "{own}");
    }
}

/// The browser itself must refuse whatever asks another host.
fn assert_harmless(answer: &Answer) {
    let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str();
    let policy = policy.expect("ASCII");
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    assert!(
        !policy.contains("http") && !policy.contains('*'),
        "{policy}"
    );
    assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[tokio::test]
async fn a_part_of_the_page_that_does_not_exist_is_404() {
    let (router, _tenancy) = router();
    for path in ["/docs/", "/docs/swagger-ui.js", "/docs/..%2Fmod.rs"] {
        let answer = ask(&router, "GET", path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = ask(&router, "GET", "/docs/%ff").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

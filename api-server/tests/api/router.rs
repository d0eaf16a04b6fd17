//! What needs no database: authentication, unknown routes, request ids, and that every error is
//! a problem.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::{Answer, Tenancy, send};

fn router(mode: &str) -> (Router, Tenancy) {
    let tenancy = Tenancy::without_database(mode);
    let app = tenancy.app();
    (docket_api_server::public_router(app), tenancy)
}

async fn ask(router: &Router, method: Method, path: &str, key: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    send(router, request.body(Body::empty()).expect("a request")).await
}

fn assert_problem(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/problem+json",
        "{answer:?}"
    );
    assert!(answer.headers.contains_key("x-request-id"), "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], status.as_u16());
    for member in ["type", "title", "detail"] {
        assert!(
            problem[member]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{member}"
        );
    }
}

const DOCUMENT: &str = "/clients/globex/documents/1";

#[tokio::test]
async fn without_a_key_every_client_route_answers_401() {
    let (router, _tenancy) = router("ApiKey");
    for (method, path) in [
        (Method::GET, DOCUMENT),
        (Method::GET, "/clients/globex/documents"),
        (Method::GET, "/clients/globex/documents/1/content"),
        (Method::PUT, "/clients/globex/upload-document"),
        (Method::GET, "/clients/nobody/documents/1"),
    ] {
        let answer = ask(&router, method, path, None).await;
        assert_problem(&answer, StatusCode::UNAUTHORIZED);
        assert!(
            answer.headers.contains_key(header::WWW_AUTHENTICATE),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_server_that_ends_refuses_nobody_for_good_whom_the_next_one_may_know() {
    let tenancy = Tenancy::without_database("ApiKey");
    let app = tenancy.app();
    let router = docket_api_server::public_router(app.clone());
    let added = "/clients/added-since/documents/1";
    let refused = ask(&router, Method::GET, added, Some("its-key")).await;
    assert_problem(&refused, StatusCode::FORBIDDEN);

    app.drain();
    let asked_to_come_again = ask(&router, Method::GET, added, Some("its-key")).await;
    assert_problem(&asked_to_come_again, StatusCode::SERVICE_UNAVAILABLE);
    let headers = &asked_to_come_again.headers;
    assert!(headers.contains_key(header::RETRY_AFTER), "{headers:?}");
    assert_eq!(headers[header::CONNECTION], "close", "and elsewhere");
    let without_a_key = ask(&router, Method::GET, added, None).await;
    assert_problem(&without_a_key, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_opens_its_own_client_only() {
    let (router, _tenancy) = router("ApiKey");
    let other = ask(&router, Method::GET, DOCUMENT, Some("initech-key")).await;
    assert_problem(&other, StatusCode::FORBIDDEN);
    let unknown = ask(
        &router,
        Method::GET,
        "/clients/nobody/documents/1",
        Some("initech-key"),
    )
    .await;
    assert_problem(&unknown, StatusCode::FORBIDDEN);
    let told = |answer: &Answer| {
        let mut problem = answer.json();
        problem
            .as_object_mut()
            .map(|members| members.remove("trace_id"));
        problem
    };
    assert_eq!(
        told(&other),
        told(&unknown),
        "an unknown client must look like a wrong key"
    );
}

#[tokio::test]
async fn without_authentication_an_unknown_client_is_404() {
    let (router, _tenancy) = router("None");
    let answer = ask(&router, Method::GET, "/clients/nobody/documents/1", None).await;
    assert_problem(&answer, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_unknown_path_is_404_and_an_unknown_method_405_with_allow() {
    let (router, _tenancy) = router("ApiKey");
    for path in [
        "/",
        "/nothing",
        "/clients",
        "/clients/globex",
        "/clients/globex/nothing",
    ] {
        let answer = ask(&router, Method::GET, path, Some("globex-key")).await;
        assert_problem(&answer, StatusCode::NOT_FOUND);
    }
    for (path, allowed) in [(DOCUMENT, "DELETE,GET,HEAD,PATCH"), ("/health", "GET,HEAD")] {
        let answer = ask(&router, Method::POST, path, Some("globex-key")).await;
        assert_problem(&answer, StatusCode::METHOD_NOT_ALLOWED);
        let allow = answer.headers[header::ALLOW].to_str().expect("ASCII");
        let mut methods: Vec<&str> = allow.split(',').collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), allowed, "{path}");
    }
}

#[tokio::test]
async fn an_id_that_no_document_can_have_is_400() {
    let (router, _tenancy) = router("ApiKey");
    for id in ["abc", "0", "-1", "+1", "01", "1.0", "9223372036854775808"] {
        for path in ["", "/content"] {
            let path = format!("/clients/globex/documents/{id}{path}");
            let answer = ask(&router, Method::GET, &path, Some("globex-key")).await;
            assert_problem(&answer, StatusCode::BAD_REQUEST);
            let problem = answer.json();
            let detail = problem["detail"].as_str().expect("a sentence");
            assert!(detail.contains("a whole number from 1 to"), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf_8_is_400() {
    let (router, _tenancy) = router("ApiKey");
    let path = "/clients/%ff/documents";
    let answer = ask(&router, Method::GET, path, Some("globex-key")).await;
    assert_problem(&answer, StatusCode::BAD_REQUEST);
}

async fn upload(router: &Router, content_type: Option<&str>, body: &str) -> Answer {
    let mut request = Request::put("/clients/globex/upload-document")
        .header("x-api-key", "globex-key")
        .header(header::CONTENT_LENGTH, body.len());
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    send(
        router,
        request
            .body(Body::from(body.to_owned()))
            .expect("a request"),
    )
    .await
}

const FORM: Option<&str> = Some("multipart/form-data; boundary=b");

fn part(name: &str, filename: &str, content: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\n\r\n{content}\r\n--b--\r\n"
    )
}

#[tokio::test]
async fn an_upload_that_is_no_file_is_refused_with_the_fitting_status() {
    let (router, tenancy) = router("ApiKey");
    let too_large = "x".repeat(crate::support::MAX_UPLOAD + 1);
    let over_announced = "x".repeat(crate::support::MAX_UPLOAD + 100_000);
    for (content_type, body, status) in [
        (None, "x".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            Some("application/json"),
            "{}".to_owned(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Some("multipart/form-data"),
            "x".to_owned(),
            StatusCode::BAD_REQUEST,
        ),
        (FORM, "not multipart".to_owned(), StatusCode::BAD_REQUEST),
        (FORM, part("other", "a.txt", "x"), StatusCode::BAD_REQUEST),
        (
            FORM,
            part("file", "", "x"),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            FORM,
            part("file", "..", "x"),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            FORM,
            part("file", "a.txt", &too_large),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            FORM,
            part("file", "a.txt", &over_announced),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            FORM,
            part("file", "a.txt", "x").replace("--b--", ""),
            StatusCode::BAD_REQUEST,
        ),
    ] {
        let answer = upload(&router, content_type, &body).await;
        assert_problem(&answer, status);
    }
    tenancy.content_becomes_empty().await;
}

#[tokio::test]
async fn an_upload_whose_digest_differs_is_400_and_leaves_no_content() {
    let (router, tenancy) = router("ApiKey");
    let body = part("file", "a.txt", "x");
    // Of the file "x", of the body, of nothing, and no digest at all.
    let file = digest(b"x");
    let whole = digest(body.as_bytes());
    let other = digest(b"");
    let nonsense = "sha-256=nonsense".to_owned();
    // Without a database, an upload that is in order ends with 503.
    let (good, bad) = (StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_REQUEST);
    for (name, value, status) in [
        ("repr-digest", &file, good),
        ("repr-digest", &whole, bad),
        ("repr-digest", &other, bad),
        ("repr-digest", &nonsense, bad),
        ("content-digest", &whole, good),
        ("content-digest", &file, bad),
        ("content-digest", &nonsense, bad),
    ] {
        let request = Request::put("/clients/globex/upload-document")
            .header("x-api-key", "globex-key")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
            .header(name, value);
        let request = request.body(Body::from(body.clone())).expect("a request");
        assert_problem(&send(&router, request).await, status);
        for name in ["content-digest", "repr-digest"] {
            let with = body.replacen("\r\n\r\n", &format!("\r\n{name}: {value}\r\n\r\n"), 1);
            let status = if *value == file { good } else { bad };
            assert_problem(&upload(&router, FORM, &with).await, status);
        }
    }
    tenancy.content_becomes_empty().await;
}

fn digest(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let item = sfv::ItemSerializer::new().bare_item(hash.as_slice());
    format!("sha-256={}", item.finish())
}

#[tokio::test]
async fn a_database_that_is_away_is_503_with_retry_after_and_leaves_no_content() {
    let (router, tenancy) = router("ApiKey");
    let answer = upload(&router, FORM, &part("file", "a.txt", "text")).await;
    assert_problem(&answer, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
    tenancy.content_becomes_empty().await;
}

#[tokio::test]
async fn a_sane_request_id_comes_back_and_any_other_is_replaced() {
    let (router, _tenancy) = router("ApiKey");
    for (sent, kept) in [("abc-123._X", true), ("a b", false), ("a\u{e9}", false)] {
        let request = Request::get(DOCUMENT).header("x-request-id", sent.as_bytes());
        let answer = send(&router, request.body(Body::empty()).expect("a request")).await;
        let id = answer.headers["x-request-id"]
            .to_str()
            .expect("ASCII")
            .to_owned();
        assert_eq!(id == sent, kept, "{sent}");
        assert!(kept || id.len() == 36, "{id}");
    }
}

#[tokio::test]
async fn the_trace_of_the_caller_goes_on() {
    crate::support::telemetry();
    let (router, _tenancy) = router("ApiKey");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request =
        Request::get(DOCUMENT).header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = send(&router, request.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.json()["trace_id"], trace);
    assert!(header_of(&answer.headers, "traceparent").starts_with(&format!("00-{trace}-")));
}

fn header_of(headers: &HeaderMap, name: &str) -> String {
    headers[name].to_str().expect("ASCII").to_owned()
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_request_id() {
    crate::support::telemetry();
    let (router, _tenancy) = router("ApiKey");
    let request = Request::get(DOCUMENT).header("x-request-id", "never-a-label");
    send(&router, request.body(Body::empty()).expect("a request")).await;
    let page = ask(&router, Method::GET, "/metrics", None).await;
    assert_eq!(
        header_of(&page.headers, "content-type"),
        "text/plain; version=0.0.4"
    );
    let text = page.text();
    let labels = r#"{docket_workload="documents",method="GET",path="/clients/{client}/documents/{id}",status="401"}"#;
    for series in [
        "http_requests_total",
        "http_errors_total",
        "http_request_duration_seconds_count",
    ] {
        assert!(
            text.contains(&format!("{series}{labels}")),
            "{series} in {text}"
        );
    }
    assert!(text.contains(r#"le="0.3""#));
    assert!(!text.contains("never-a-label") && !text.contains("otel_scope"));
}

#[tokio::test]
async fn a_request_counts_for_the_workload_whose_route_it_was_for_also_if_it_is_refused() {
    crate::support::telemetry();
    let tenancy = Tenancy::without_database("ApiKey");
    let app = tenancy.app();
    let public = docket_api_server::public_router(app.clone());
    let data_store = docket_api_server::data_store_router(app);
    for (router, method, path, workload, template, status) in [
        (
            &public,
            Method::DELETE,
            DOCUMENT,
            "documents",
            "/clients/{client}/documents/{id}",
            401,
        ),
        (
            &public,
            Method::PUT,
            DOCUMENT,
            "documents",
            "/clients/{client}/documents/{id}",
            405,
        ),
        (
            &data_store,
            Method::POST,
            "/clients/globex/documents",
            "documents",
            "/clients/{client}/documents",
            401,
        ),
        (
            &public,
            Method::GET,
            "/clients/globex/usage",
            "platform",
            "/clients/{client}/usage",
            401,
        ),
        (
            &public,
            Method::GET,
            "/clients/globex/audit",
            "platform",
            "/clients/{client}/audit",
            401,
        ),
        (&public, Method::GET, "/livez", "none", "/livez", 200),
        (&public, Method::POST, "/livez", "none", "/livez", 405),
        (&public, Method::GET, "/elsewhere", "none", "unmatched", 404),
        (
            &data_store,
            Method::DELETE,
            "/elsewhere",
            "none",
            "unmatched",
            404,
        ),
    ] {
        let asked = method.to_string();
        ask(router, method, path, None).await;
        let text = ask(&public, Method::GET, "/metrics", None).await.text();
        let series = format!(
            r#"http_requests_total{{docket_workload="{workload}",method="{asked}",path="{template}",status="{status}"}}"#
        );
        assert!(text.contains(&series), "{series} in {text}");
    }
}

#[tokio::test]
async fn a_process_that_lives_but_has_no_database_is_alive_and_not_ready() {
    let (router, tenancy) = router("ApiKey");
    assert_eq!(
        ask(&router, Method::GET, "/livez", None).await.status,
        StatusCode::OK
    );
    let ready = ask(&router, Method::GET, "/readyz", None).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        ready.text().contains("the database does not answer"),
        "{ready:?}"
    );
    let health = ask(&router, Method::GET, "/health", None).await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    let body: Value = health.json();
    assert_eq!(body["service"], "document-api");
    assert_eq!(body["status"], "unhealthy");
    assert_eq!(body["components"]["file_system"], "healthy");
    assert_eq!(body["components"]["data_store"], "unhealthy");
    assert!(
        !health.text().contains("globex"),
        "open to everyone, so it names no client"
    );
    drop(tenancy);
}

#[tokio::test]
async fn a_caller_that_falls_silent_in_an_upload_is_408() {
    let tenancy = Tenancy::without_database("ApiKey");
    let app = tenancy.app_with(&["--request-timeout=50ms"]);
    let router = docket_api_server::public_router(app);
    let start = part("file", "a.txt", "x").replace("\r\n--b--\r\n", "");
    let start = futures::stream::iter([Ok::<_, std::io::Error>(start)]);
    let body = Body::from_stream(futures::StreamExt::chain(start, futures::stream::pending()));
    let request = Request::put("/clients/globex/upload-document")
        .header("x-api-key", "globex-key")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let answer = send(&router, request.body(body).expect("a request")).await;
    assert_problem(&answer, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn the_data_store_asks_for_the_same_keys_and_for_json() {
    let tenancy = Tenancy::without_database("ApiKey");
    let router = docket_api_server::data_store_router(tenancy.app());
    let path = "/clients/globex/documents";
    for (key, content_type, body, status) in [
        (None, "application/json", "{}", StatusCode::UNAUTHORIZED),
        (
            Some("initech-key"),
            "application/json",
            "{}",
            StatusCode::FORBIDDEN,
        ),
        (
            Some("globex-key"),
            "text/plain",
            "{}",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            Some("globex-key"),
            "application/json",
            "{",
            StatusCode::BAD_REQUEST,
        ),
        (
            Some("globex-key"),
            "application/json",
            "{}",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, content_type);
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        let answer = send(&router, request.body(Body::from(body)).expect("a request")).await;
        assert_problem(&answer, status);
    }
    let large = format!("{{\"filename\": \"{}\"}}", "x".repeat(100_000));
    let request = Request::post(path)
        .header("x-api-key", "globex-key")
        .header(header::CONTENT_TYPE, "application/json");
    let answer = send(&router, request.body(Body::from(large)).expect("a request")).await;
    assert_problem(&answer, StatusCode::PAYLOAD_TOO_LARGE);
}

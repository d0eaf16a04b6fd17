//! Keys that pages show to everybody: what they open, to whom, and what pages may read.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use docket_api_server::public_router;
use docket_contract::hash_api_key;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::support::issuer::{Issuer, Signer};
use crate::support::{Answer, Tenancy, marks, send};

const HOME: &str = "https://www.globex.example";
const SHOP: &str = "http://shop.globex.example:8080";
const ELSEWHERE: &str = "https://www.evil.example";

/// Of globex, to make marks.
const KEY: &str = "pk_aaaabbbbccccddddaaaabbbbccccddddaaaabbbbccccddddaaaabbbbccccdddd";
/// Of globex, for something else.
const OTHER_SCOPE: &str = "pk_other";
/// Of initech, to make marks.
const INITECH: &str = "pk_initech";

fn tenancy(mode: &str) -> Tenancy {
    let mut tenancy = Tenancy::without_database(mode);
    let key = |key: &str, scope: &str, origins: &[&str]| json!({"hash": hash_api_key(key).0, "scope": scope, "origins": origins});
    let write = marks::WRITE.0;
    tenancy.config["clients"][0]["publishableKeys"] = json!([
        key(KEY, write, &[HOME, SHOP]),
        key(OTHER_SCOPE, marks::READ.0, &[HOME]),
    ]);
    tenancy.config["clients"][1]["publishableKeys"] =
        json!([key(INITECH, write, &["https://initech.example"])]);
    tenancy
}

fn router(tenancy: &Tenancy) -> Router {
    public_router(marks::app(tenancy, &[]))
}

async fn ask(router: &Router, method: Method, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(
        Request::builder().method(method).uri(uri),
        |request, (name, value)| request.header(*name, *value),
    );
    send(router, request.body(Body::empty()).expect("a request")).await
}

/// From a page of `origin`, with the key in the header.
async fn from_page(router: &Router, path: &str, key: &str, origin: &str) -> Answer {
    let headers = [("x-api-key", key), ("origin", origin)];
    ask(router, Method::POST, path, &headers).await
}

fn problem(answer: &Answer) -> String {
    let problem = answer.json()["type"]
        .as_str()
        .expect("a problem")
        .to_owned();
    let name = problem.rsplit(':').next().expect("a name");
    format!("{} {name}", answer.status.as_u16())
}

fn vary(headers: &HeaderMap) -> Vec<&str> {
    let fields = headers.get_all(header::VARY).iter();
    fields.map(|field| field.to_str().expect("ASCII")).collect()
}

fn allowed_origin(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        .map(|origin| origin.to_str().expect("ASCII"))
}

#[tokio::test]
async fn in_every_mode_the_key_opens_its_scope_to_pages_of_its_origins() {
    let signer = Signer::ed25519("ed");
    let issuer = Issuer::start(&[&signer]).await;
    for mode in ["ApiKey", "Jwt", "None"] {
        let mut tenancy = tenancy(mode);
        tenancy.config["auth"]["jwt"] =
            json!({"issuer": issuer.url(), "audience": "docket", "clientClaim": "client_id"});
        let router = router(&tenancy);
        for path in ["/api/v9/marks", "/clients/globex/marks"] {
            for origin in [HOME, SHOP] {
                let answer = from_page(&router, path, KEY, origin).await;
                assert_eq!(answer.status, StatusCode::OK, "{mode} {}", answer.text());
                assert_eq!(answer.json()["client"], "globex");
                assert_eq!(answer.json()["scopes"], "Of([\"marks:write\"])");
                let hash = hash_api_key(KEY).0;
                assert_eq!(answer.json()["actor"], format!("key:{}", &hash[..8]));
                assert_eq!(answer.json()["user"], Value::Null);
            }
        }
        let answer = from_page(&router, "/api/v9/marks", INITECH, "https://initech.example").await;
        assert_eq!(answer.json()["client"], "initech", "{mode}");
    }
}

#[tokio::test]
async fn whatever_does_not_fit_is_403_and_says_nothing_of_what_would() {
    let tenancy = tenancy("ApiKey");
    let router = router(&tenancy);
    let of_globex = "/clients/globex/marks";
    for (path, key, origin, expected) in [
        ("/api/v9/marks", KEY, ELSEWHERE, "403 origin-refused"),
        ("/api/v9/marks", KEY, "null", "403 origin-refused"),
        (
            "/api/v9/marks",
            KEY,
            "https://www.globex.example:443",
            "403 origin-refused",
        ),
        (
            "/api/v9/marks",
            KEY,
            "https://www.globex.example/",
            "403 origin-refused",
        ),
        (
            "/api/v9/marks",
            KEY,
            "HTTPS://www.globex.example",
            "403 origin-refused",
        ),
        (
            "/api/v9/marks",
            KEY,
            "http://www.globex.example",
            "403 origin-refused",
        ),
        (
            "/api/v9/marks",
            KEY,
            "https://www.globex.example.evil.example",
            "403 origin-refused",
        ),
        (
            "/api/v9/marks",
            KEY,
            "https://initech.example",
            "403 origin-refused",
        ),
        ("/api/v9/marks", "pk_wrong", HOME, "403 api-key-refused"),
        ("/api/v9/marks", OTHER_SCOPE, HOME, "403 api-key-refused"),
        (
            of_globex,
            INITECH,
            "https://initech.example",
            "403 api-key-refused",
        ),
        ("/clients/nobody/marks", KEY, HOME, "403 api-key-refused"),
    ] {
        let answer = from_page(&router, path, key, origin).await;
        assert_eq!(problem(&answer), expected, "{path} {key} {origin}");
        assert!(
            !answer.text().contains("globex.example"),
            "{}",
            answer.text()
        );
    }
    let without_origin = [("x-api-key", KEY)];
    let answer = ask(&router, Method::POST, "/api/v9/marks", &without_origin).await;
    assert_eq!(problem(&answer), "403 origin-refused");
    assert!(
        answer.text().contains("no header Origin"),
        "{}",
        answer.text()
    );
    let other_client = [
        ("x-api-key", KEY),
        ("origin", HOME),
        ("x-client", "initech"),
    ];
    let answer = ask(&router, Method::POST, "/api/v9/marks", &other_client).await;
    assert_eq!(problem(&answer), "403 api-key-refused");
}

#[tokio::test]
async fn it_opens_no_route_that_does_not_take_it_and_no_mode_makes_it_a_secret_key() {
    for (mode, expected) in [
        ("ApiKey", "403 api-key-refused"),
        ("None", "400 client-needed"),
    ] {
        let tenancy = tenancy(mode);
        let router = router(&tenancy);
        for key in [KEY, OTHER_SCOPE] {
            let headers = [("x-api-key", key), ("origin", HOME)];
            for path in ["/api/v9/marks", "/api/v9/marks/1"] {
                let answer = ask(&router, Method::GET, path, &headers).await;
                assert_eq!(problem(&answer), expected, "{path}");
            }
        }
    }
    let tenancy = tenancy("ApiKey");
    let router = router(&tenancy);
    let path = format!("/clients/globex/usage?key={KEY}");
    let answer = ask(&router, Method::GET, &path, &[("origin", HOME)]).await;
    assert_eq!(problem(&answer), "401 api-key-missing");
    let secret = "/api/v9/marks?key=globex-key";
    let answer = ask(&router, Method::POST, secret, &[("origin", HOME)]).await;
    assert_eq!(
        problem(&answer),
        "401 api-key-missing",
        "no secret key in a query"
    );
    let secret = [("x-api-key", "globex-key")];
    let answer = ask(&router, Method::POST, "/api/v9/marks", &secret).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "a secret key goes on to open it"
    );
}

/// All that is logged and said of spans.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_key_in_the_query_is_in_no_log_no_span_no_answer_and_reaches_no_handler() {
    let told = Told::default();
    let writer = told.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let tenancy = tenancy("ApiKey");
    let router = router(&tenancy);
    for (origin, status) in [(HOME, StatusCode::OK), (ELSEWHERE, StatusCode::FORBIDDEN)] {
        let uri = format!("/api/v9/marks?a=b&key={KEY}&c=%20d");
        let beacon = [("origin", origin), ("content-type", "text/plain")];
        let answer = ask(&router, Method::POST, &uri, &beacon).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(!answer.text().contains("pk_"), "{}", answer.text());
        if status == StatusCode::OK {
            assert_eq!(answer.json()["uri"], "/api/v9/marks?a=b&c=%20d");
            assert_eq!(answer.json()["original_uri"], "/api/v9/marks?a=b&c=%20d");
        }
    }
    let told = String::from_utf8(told.0.lock().expect("no panic").clone()).expect("UTF-8");
    assert!(
        told.contains("a handler that tells all that it sees"),
        "{told}"
    );
    assert!(told.contains("url.path=\"/api/v9/marks\""), "{told}");
    assert!(!told.contains("pk_"), "{told}");
}

#[tokio::test]
async fn what_a_browser_asks_before_is_answered_without_a_key_to_the_origins_of_the_tenant() {
    let tenancy = tenancy("ApiKey");
    let router = router(&tenancy);
    for (origin, is_allowed) in [
        (HOME, true),
        (SHOP, true),
        ("https://initech.example", true),
        (ELSEWHERE, false),
        ("null", false),
    ] {
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-api-key"),
        ];
        let answer = ask(&router, Method::OPTIONS, "/api/v9/marks", &asked).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        let headers = &answer.headers;
        assert_eq!(allowed_origin(headers), is_allowed.then_some(origin));
        assert_eq!(headers[header::VARY], "origin");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        assert!(
            !headers.contains_key("ratelimit"),
            "it costs no client its share"
        );
        if is_allowed {
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "POST");
            let may_send = headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str();
            let may_send = may_send.expect("ASCII");
            assert!(may_send.contains("x-api-key") && may_send.contains("content-type"));
            assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "7200");
        }
    }
}

#[tokio::test]
async fn a_page_may_read_answers_and_errors_of_the_routes_that_take_its_keys_and_of_no_others() {
    let mut tenancy = tenancy("ApiKey");
    tenancy.config["rateLimit"] = json!({"requestsPerSecond": 1, "burst": 2});
    let router = router(&tenancy);
    let path = "/api/v9/marks";
    for (path, key, origin, status, is_allowed) in [
        (path, KEY, HOME, 200, true),
        ("/api/v9/marks?fail", KEY, SHOP, 422, true),
        (path, KEY, HOME, 429, true),
        (path, "pk_wrong", HOME, 403, true),
        (path, KEY, "https://initech.example", 403, true),
        (path, KEY, ELSEWHERE, 403, false),
    ] {
        let answer = from_page(&router, path, key, origin).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let headers = &answer.headers;
        assert_eq!(allowed_origin(headers), is_allowed.then_some(origin));
        assert!(vary(headers).contains(&"origin"));
        assert_eq!(
            headers.contains_key(header::ACCESS_CONTROL_EXPOSE_HEADERS),
            is_allowed
        );
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
    for (method, path, status) in [
        (Method::GET, "/api/v9/marks", 429),
        (Method::GET, "/api/v9/marks/1", 429),
        (Method::OPTIONS, "/api/v9/marks/1", 405),
        (Method::OPTIONS, "/clients/globex/usage", 405),
    ] {
        let headers = [("x-api-key", "globex-key"), ("origin", HOME)];
        let answer = ask(&router, method, path, &headers).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(allowed_origin(&answer.headers), None, "{path}");
        assert!(!vary(&answer.headers).contains(&"origin"), "{path}");
    }
}

#[tokio::test]
async fn a_page_may_read_errors_that_no_handler_makes() {
    let tenancy = tenancy("ApiKey");
    let app = marks::app(&tenancy, &[]);
    let router = public_router(app.clone());
    let (path, broken) = ("/api/v9/marks", "/clients/globex/marks?panic");
    let answers = async |method: Method, path| {
        let mut answers = Vec::new();
        for origin in [HOME, ELSEWHERE] {
            let headers = [("x-api-key", KEY), ("origin", origin)];
            answers.push(ask(&router, method.clone(), path, &headers).await);
        }
        answers
    };
    let panicked = answers(Method::POST, broken).await;
    let wrong_method = answers(Method::DELETE, path).await;
    app.drain();
    let draining = answers(Method::POST, "/clients/initech/marks").await;
    for (answers, expected) in [
        (panicked, ["500 internal", "403 origin-refused"]),
        (wrong_method, ["405 method-not-allowed"; 2]),
        (draining, ["503 draining"; 2]),
    ] {
        let allowed = [Some(HOME), None];
        for ((answer, expected), allowed) in answers.iter().zip(expected).zip(allowed) {
            assert_eq!(problem(answer), expected);
            assert_eq!(allowed_origin(&answer.headers), allowed, "{expected}");
            let varies = answer.headers.get_all(header::VARY);
            assert!(varies.iter().any(|by| by == "origin"), "{expected}");
        }
    }
    let answer = ask(&router, Method::DELETE, path, &[("origin", HOME)]).await;
    let allow = answer.headers[header::ALLOW].to_str().expect("ASCII");
    for method in ["GET", "POST", "OPTIONS"] {
        assert!(allow.contains(method), "{allow}");
    }
}

#[tokio::test]
async fn a_server_that_ends_may_not_know_the_origins_that_came_since() {
    let tenancy = tenancy("ApiKey");
    let app = marks::app(&tenancy, &[]);
    let router = public_router(app.clone());
    app.drain();
    let answer = from_page(&router, "/api/v9/marks", KEY, ELSEWHERE).await;
    assert_eq!(problem(&answer), "503 draining");
}

#[tokio::test]
async fn the_openapi_document_says_where_the_key_may_be_sent() {
    let tenancy = tenancy("ApiKey");
    let document = ask(&router(&tenancy), Method::GET, "/openapi.json", &[])
        .await
        .json();
    let scheme = &document["components"]["securitySchemes"]["publishable_key"];
    assert_eq!(
        (&scheme["in"], &scheme["name"]),
        (&json!("query"), &json!("key"))
    );
    let security = |method: &str| &document["paths"]["/api/v9/marks"][method]["security"];
    let takes = |method| {
        security(method)
            .as_array()
            .expect("a list")
            .contains(&json!({"publishable_key": []}))
    };
    assert!(takes("post") && !takes("get"), "{}", security("get"));
}

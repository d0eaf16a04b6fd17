//! `docketctl check` against a real server, and against ones that are wrong on purpose.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::middleware::map_response;
use docket_api_server::{App, public_router};
use docket_cli::arguments::Arguments;
use docket_cli::problem::{Exit, Problem};
use docket_cli::screen::Screen;
use docket_loopback::free_address;
use http::{HeaderValue, Response, header};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::postgres::Postgres;
use crate::support::{CLIENTS, Tenancy};

/// A tenant that is served, and somebody who checks it.
struct Served {
    tenancy: Tenancy,
    url: String,
}

impl Served {
    /// Serves what `wrong` makes of the API.
    async fn start(tenancy: Tenancy, app: Arc<App>, wrong: impl FnOnce(Router) -> Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = wrong(public_router(app));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let keys = CLIENTS.map(|client| format!("{client}={client}-key\n"));
        std::fs::write(tenancy.folder.path().join("keys"), keys.concat()).expect("written");
        Self { tenancy, url }
    }

    async fn check(&self, flags: &str) -> (Result<(), Problem>, String) {
        let keys = self.tenancy.folder.path().join("keys");
        let keys = keys.to_str().expect("UTF-8");
        let words = [
            "docketctl",
            "check",
            "acme",
            "--url",
            &self.url,
            "--keys",
            keys,
        ]
        .into_iter()
        .chain(flags.split_whitespace());
        let arguments = Arguments::read("docketctl", words.map(Into::into)).expect("arguments");
        let mut pages = Vec::new();
        let result =
            docket_cli::run(arguments, &mut Screen::written(&mut pages, std::io::sink())).await;
        (result, String::from_utf8(pages).expect("UTF-8"))
    }

    /// Claims of the checks that did not hold.
    async fn failures(&self, flags: &str) -> Vec<String> {
        let (result, page) = self.check(&format!("{flags} --output json")).await;
        let report: Value = serde_json::from_str(&page).expect("JSON");
        let failed: Vec<String> = report["checks"]
            .as_array()
            .expect("checks")
            .iter()
            .filter(|check| check["result"] == "failed")
            .map(|check| check["claim"].as_str().unwrap_or_default().to_owned())
            .collect();
        let exit = result.err().map(|problem| problem.exit);
        assert_eq!(exit, (!failed.is_empty()).then_some(Exit::No), "{page}");
        assert_eq!(report["passed"], failed.is_empty());
        failed
    }

    async fn documents(&self, client: &str) -> usize {
        let answer = reqwest::Client::new()
            .get(format!("{}/clients/{client}/documents", self.url))
            .header("x-api-key", format!("{client}-key"));
        let answer = answer.send().await.expect("an answer");
        let page: Value = answer.json().await.expect("JSON");
        page["documents"].as_array().map_or(usize::MAX, Vec::len)
    }

    async fn expect_no_document(&self) {
        for client in CLIENTS {
            assert_eq!(self.documents(client).await, 0, "{client}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_well_passes_every_check_and_keeps_no_document() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let app = tenancy.app();
    let served = Served::start(tenancy, app, |router| router).await;
    let (result, page) = served.check("--all --clients 2 --files 4 --verbose").await;
    eprintln!("{page}");
    result.expect("passed");
    for part in [
        "globex stores 4 documents",
        "initech is shut out from what is globex's",
        "p99",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(
        page.contains(" passed, 0 failed, 2 skipped in "),
        "only the log and the gateway are not asked"
    );
    served.expect_no_document().await;

    let (result, page) = served.check("--health --output junit").await;
    result.expect("passed");
    assert!(
        page.contains("<testsuite name=\"health\" tests=\"3\" failures=\"0\""),
        "{page}"
    );
    assert!(!page.contains("upload"), "{page}");
}

/// A layer that changes some answers.
fn damage(change: fn(&mut Response<Body>)) -> impl FnOnce(Router) -> Router {
    move |router| {
        router.layer(map_response(move |mut answer: Response<Body>| async move {
            change(&mut answer);
            answer
        }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_fails_its_check_and_leaves_no_document_either() {
    let postgres = Postgres::start();
    let damaged = async |name: &str, change| {
        let tenancy = postgres.tenancy(name).await;
        let app = tenancy.app();
        Served::start(tenancy, app, damage(change)).await
    };

    let served = damaged("content", |answer| {
        if answer.headers().contains_key(header::CONTENT_DISPOSITION) {
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            *answer.body_mut() = Body::from("something else");
        }
    })
    .await;
    let failed = served.failures("--upload --retrieve").await;
    let expected = CLIENTS.map(|client| format!("{client} reads its documents back, byte by byte"));
    assert_eq!(failed, expected);
    served.expect_no_document().await;

    let served = damaged("silent", |answer| {
        answer.headers_mut().remove("x-request-id");
    })
    .await;
    let failed = served.failures("--upload --errors --files 1").await;
    assert!(
        failed.contains(&"globex stores a document".to_owned()),
        "{failed:?}"
    );
    assert!(
        failed.contains(&"every answer names its request".to_owned()),
        "{failed:?}"
    );
    served.expect_no_document().await;

    let served = damaged("plain", |answer| {
        let plain = HeaderValue::from_static("text/plain");
        if answer.status().is_client_error() {
            answer.headers_mut().insert(header::CONTENT_TYPE, plain);
        }
    })
    .await;
    let failed = served.failures("--errors").await;
    assert_eq!(failed.len(), 7, "{failed:?}");
    assert!(
        failed.contains(&"a request without a key is 401".to_owned()),
        "{failed:?}"
    );

    let served = damaged("unmeasured", |answer| {
        let of_metrics =
            |it: &HeaderValue| it.to_str().is_ok_and(|it| it.contains("version=0.0.4"));
        if answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(of_metrics)
        {
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            *answer.body_mut() = Body::from("up 1\n");
        }
    })
    .await;
    let failed = served.failures("--health --performance --files 1").await;
    assert_eq!(failed.len(), 3, "{failed:?}");
    assert!(
        failed.contains(&"it measures http_request_duration_seconds".to_owned()),
        "{failed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_lets_everybody_in_fails_the_checks_of_isolation() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("open").await;
    tenancy.config["auth"]["mode"] = "None".into();
    let app = tenancy.app();
    let served = Served::start(tenancy, app, |router| router).await;
    let failed = served.failures("--all --files 1").await;
    assert_eq!(
        failed,
        [
            "initech is shut out from what is globex's",
            "globex is shut out from what is initech's",
            "a request without a key is 401",
            "a request with a wrong key is 403",
        ]
    );
    served.expect_no_document().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_a_database_fails_with_its_reasons() {
    let tenancy = Tenancy::without_database("ApiKey");
    let app = tenancy.app();
    let served = Served::start(tenancy, app, |router| router).await;
    let (result, page) = served.check("--health --upload").await;
    assert_eq!(result.expect_err("no database").exit, Exit::No);
    assert!(page.contains("the database does not answer"), "{page}");
    assert!(page.contains("FAIL  globex stores 3 documents"), "{page}");
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_checked() {
    let url = format!("http://{}", free_address().expect("an address"));
    docket_platform::install_crypto();
    let served = Served {
        tenancy: Tenancy::without_database("ApiKey"),
        url,
    };
    std::fs::write(served.tenancy.folder.path().join("keys"), "globex=k\n").expect("written");
    let (result, page) = served.check("--health").await;
    let problem = result.expect_err("nobody");
    assert_eq!((problem.exit, page.as_str()), (Exit::CouldNotRun, ""));
    assert!(
        problem.to_string().contains("Connection refused"),
        "{problem}"
    );
}

//! Whatever callers send, what `GET /metrics` shows is of a closed set: docs/telemetry.md says how large.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;

use docket_loopback::free_address;
use docket_testing_support::Process;
use http::{Request, StatusCode};
use serde_json::Value;

use crate::support::postgres::Postgres;
use crate::support::{Tenancy, eventually};

const METHODS: [&str; 8] = [
    "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "_OTHER",
];

/// What any request may get, on any path that is served.
const ANYWHERE: [&str; 3] = ["400", "405", "500"];

/// What one may get on a path that is not.
const NOWHERE: [&str; 3] = ["400", "404", "500"];

/// Attribute sets of one instrument that OpenTelemetry tells apart: beyond them all would be one.
const TOLD_APART: usize = 2000;

/// A counter of requests, one of errors, and a histogram of 15 bounds with `+Inf`, sum and count.
const OF_AN_ANSWER: usize = 2 + 18;

/// A counter and such a histogram.
const OF_A_PAIR: usize = 1 + 18;

/// Connections (3) and who waited for one in vain, memory (2), telemetry exported (3) and dropped (6),
/// maintenance (8 and 2), what confines the process that reads files (2), panics of tasks (7), `target_info`.
const OTHERS: usize = 3 + 1 + 2 + 3 + 6 + 8 + 2 + 2 + 7 + 1;

/// Values of the labels that are not of requests.
const CLOSED: [(&str, &[&str]); 11] = [
    (
        "operation",
        &["SELECT", "INSERT", "UPDATE", "DELETE", "LOCK"],
    ),
    (
        "table",
        &[
            "audit_log",
            "document_metadata",
            "document_text",
            "document_versions",
            "idempotency_keys",
            "maintenance_tasks",
            "pg_database",
            "schema_migrations",
            "usage",
        ],
    ),
    ("success", &["true", "false"]),
    ("component", &["data_store", "file_system", "object_store"]),
    ("status", &["healthy", "degraded", "unhealthy"]),
    ("state", &["idle", "used", "max"]),
    ("signal", &["traces", "logs", "metrics"]),
    ("reason", &["queue_full", "export_failed"]),
    ("layer", &["files", "system-calls"]),
    (
        "task",
        &[
            "purge",
            "sweep",
            "expire",
            "recount",
            "maintenance",
            "limits",
            "signing-keys",
            "documents",
            "page-views",
            "cooling",
            "issuer-keys",
        ],
    ),
    ("outcome", &["done", "failed"]),
];

fn closed(label: &str) -> &'static [&'static str] {
    let known = CLOSED.iter().find(|(name, _)| *name == label);
    known
        .unwrap_or_else(|| panic!("the label {label} is new"))
        .1
}

/// Method, route and status of an answer.
type Answered = (String, String, String);

/// All that the OpenAPI document lets happen, and what happens to anybody.
fn possible(document: &Value) -> BTreeSet<Answered> {
    let paths = document["paths"].as_object().expect("paths");
    let statuses = |path: &str, method: &str| -> Vec<String> {
        let answers = &paths[path][method]["responses"];
        let answers = answers.as_object().into_iter().flatten();
        answers.map(|(status, _)| status.clone()).collect()
    };
    let mut possible = BTreeSet::new();
    let mut may = |method: &str, path: &str, status: &str| {
        possible.insert((method.to_owned(), path.to_owned(), status.to_owned()));
    };
    for method in METHODS {
        for status in NOWHERE {
            may(method, "unmatched", status);
        }
        for path in paths.keys() {
            for status in ANYWHERE {
                may(method, path, status);
            }
            // Where GET is served, HEAD is.
            let as_documented = match method {
                "HEAD" if paths[path].get("head").is_none() => "get".to_owned(),
                method => method.to_lowercase(),
            };
            for status in statuses(path, &as_documented) {
                may(method, path, &status);
            }
        }
    }
    // Of the data store, which answers what an upload may get.
    for status in statuses("/clients/{client}/upload-document", "put") {
        may("POST", "/clients/{client}/documents", &status);
    }
    possible
}

/// A name and its labels; `None` for what is no series.
fn series(line: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    if line.starts_with('#') {
        return None;
    }
    let (series, _) = line.rsplit_once(' ')?;
    let Some((name, labels)) = series.split_once('{') else {
        return Some((series, Vec::new()));
    };
    let labels = labels.strip_suffix("\"}")?.split("\",");
    let labels = labels.filter_map(|label| label.split_once("=\""));
    Some((name, labels.collect()))
}

/// Text that nobody sent before, and that can be found again.
fn planted() -> String {
    format!("planted{:08x}", rand::random::<u32>())
}

fn one_of<'a>(all: &[&'a str]) -> &'a str {
    all[rand::random::<u32>() as usize % all.len()]
}

/// A request of which a caller chose every part, on one of `paths` or on none.
fn hostile(paths: &[&str]) -> Request<String> {
    let invented = planted().to_uppercase();
    let method = one_of(&[
        "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", &invented,
    ])
    .to_owned();
    let mut path = one_of(paths).to_owned();
    for (parameter, known) in [("{client}", "globex"), ("{id}", "1"), ("{version}", "1")] {
        let other = planted();
        path = path.replace(parameter, one_of(&[known, known, &other]));
    }
    while let (Some(begin), Some(end)) = (path.find('{'), path.find('}')) {
        path.replace_range(begin..=end, &planted());
    }
    let form = "multipart/form-data; boundary=b";
    let other = planted();
    let file = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{other}\"\r\n\r\n{other}\r\n--b--\r\n"
    );
    let request = Request::builder()
        .method(&*method)
        .uri(format!("{path}?{}={}", planted(), planted()))
        .header("host", planted())
        .header("x-api-key", one_of(&["globex-key", "globex-key", &other]))
        .header("x-request-id", planted())
        .header("user-agent", planted())
        .header("baggage", format!("{}={}", planted(), planted()))
        .header("idempotency-key", planted())
        .header("if-match", one_of(&["*", "\"planted\""]))
        .header("content-type", one_of(&[form, "application/json", &other]))
        .header(planted(), planted());
    request.body(file).expect("a request")
}

/// A server in a process of its own: in that of the tests others count, too.
struct Server {
    public: SocketAddr,
    data_store: SocketAddr,
    _process: Process,
    _tenancy: Tenancy,
    _postgres: Postgres,
}

impl Server {
    async fn start() -> Self {
        docket_platform::install_crypto();
        let postgres = Postgres::start();
        let tenancy = postgres.tenancy("acme").await;
        let [public, data_store] = [(); 2].map(|()| free_address().expect("an address"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket-api-server"));
        command
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env("RUST_LOG", "error")
            .arg(format!("--config={}", tenancy.config_file().display()))
            .arg(format!("--listen={public}"))
            .arg(format!("--data-store-listen={data_store}"))
            .arg("--operations-listen=127.0.0.1:0");
        let server = Self {
            public,
            data_store,
            _process: Process::start(command, tenancy.folder.path().join("log"))
                .expect("a process"),
            _tenancy: tenancy,
            _postgres: postgres,
        };
        eventually("it serves", async || server.is_ready().await).await;
        server
    }

    async fn is_ready(&self) -> bool {
        let answer = reqwest::get(format!("http://{}/readyz", self.public)).await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    async fn page(&self, path: &str) -> String {
        let answer = reqwest::get(format!("http://{}{path}", self.public)).await;
        answer.expect("an answer").text().await.expect("a page")
    }
}

/// Whatever the answer is.
async fn send(http: &reqwest::Client, to: SocketAddr, request: Request<String>) {
    let (parts, body) = request.into_parts();
    let url = format!("http://{to}{}", parts.uri);
    let request = http.request(parts.method, url).headers(parts.headers);
    let answer = request.body(body).send().await.expect("an answer");
    answer.bytes().await.expect("a body");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_series_is_made_of_what_callers_send() {
    let server = Server::start().await;
    let http = reqwest::Client::new();
    let document = server.page("/openapi.json").await;
    let document = serde_json::from_str(&document).expect("JSON");
    let possible = possible(&document);
    assert!(possible.len() < TOLD_APART, "{}", possible.len());

    let served = document["paths"].as_object().expect("paths").keys();
    let elsewhere = ["/{a}", "/{a}/{b}", "/clients/{client}/{c}", "/docs/{d}/{e}"];
    let paths: Vec<&str> = served.map(String::as_str).chain(elsewhere).collect();
    for _ in 0..1000 {
        for address in [server.public, server.data_store] {
            send(&http, address, hostile(&paths)).await;
        }
    }

    let page = server.page("/metrics").await;
    assert!(!page.to_lowercase().contains("planted"), "{page}");
    let mut answered = BTreeSet::new();
    let all: Vec<_> = page.lines().filter_map(series).collect();
    for (name, labels) in &all {
        let labels = labels.iter().filter(|(label, _)| *label != "le");
        if name.starts_with("http_") {
            let of = |wanted: &str| {
                let found = labels.clone().find(|(label, _)| *label == wanted);
                found.expect("a label").1.to_owned()
            };
            answered.insert((of("method"), of("path"), of("status")));
        } else if *name != "target_info" {
            for (label, value) in labels {
                assert!(closed(label).contains(value), "{name}: {label}={value}");
            }
        }
    }
    let others: Vec<_> = answered.difference(&possible).collect();
    assert!(others.is_empty(), "not documented: {others:?}");
    let methods: BTreeSet<_> = answered.iter().map(|(method, _, _)| &**method).collect();
    assert_eq!(methods, BTreeSet::from(METHODS), "few were tried");
    assert!(answered.len() > 120, "few were tried: {}", answered.len());

    let pairs = 2 * closed("operation").len() * closed("table").len();
    let checks = closed("component").len() * closed("status").len();
    let bound = OF_AN_ANSWER * possible.len() + OF_A_PAIR * (pairs + checks) + OTHERS;
    eprintln!(
        "{} of {bound} series, {} of {} answers",
        all.len(),
        answered.len(),
        possible.len()
    );
    assert!(all.len() <= bound, "{}", all.len());
}

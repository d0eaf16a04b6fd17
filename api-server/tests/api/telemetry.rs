//! What the process writes and sends about its requests.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_loopback::free_address;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::postgres::Postgres;
use crate::support::{Tenancy, eventually};

/// What callers plant, each in a shape of its own.
const EMAIL: &str = "jane.doe@example.com";
const CARD: &str = "4111-1111-1111-1111";
const SSN: &str = "078-05-1120";
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl";

/// A server process and its log so far; killed on drop.
struct Running {
    child: Child,
    address: String,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl Running {
    fn start(tenancy: &Tenancy, collector: Option<&str>) -> Self {
        docket_platform::install_crypto();
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket-api-server"));
        command
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env_remove("RUST_LOG")
            .env("OTEL_METRIC_EXPORT_INTERVAL", "200")
            .env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .env("OTEL_BLRP_SCHEDULE_DELAY", "100")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .arg("--config")
            .arg(tenancy.config_file())
            .args([
                "--listen=127.0.0.1:0",
                "--data-store-listen=127.0.0.1:0",
                "--operations-listen=127.0.0.1:0",
            ])
            .args(["--request-timeout=2s"])
            .stdout(Stdio::piped());
        if let Some(collector) = collector {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
        }
        let mut child = command.spawn().expect("a process");
        let mut log = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let mut parsed = move || {
            let line = log.next()?.expect("a line");
            Some(serde_json::from_str::<Value>(&line).unwrap_or_else(|_| panic!("{line}")))
        };
        let mut before = Vec::new();
        let address = loop {
            let line = parsed().expect("the address in the log");
            let address = line["listen"].as_str().map(str::to_owned);
            before.push(line);
            if let Some(address) = address {
                break address;
            }
        };
        let lines = Arc::new(Mutex::new(before));
        let sink = lines.clone();
        std::thread::spawn(move || {
            while let Some(line) = parsed() {
                sink.lock().expect("lines").push(line);
            }
        });
        Self {
            child,
            address,
            lines,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn lines(&self) -> Vec<Value> {
        self.lines.lock().expect("lines").clone()
    }

    /// The lines that are about one request each.
    fn requests(&self) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| {
            line["message"]
                .as_str()
                .is_some_and(|it| it.starts_with("request"))
        });
        lines
    }

    async fn metric(&self, name: &str) -> f64 {
        let page = reqwest::get(self.url("/metrics")).await.expect("a page");
        let page = page.text().await.expect("a body");
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().expect("a number"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A process that has ended by itself is reported by the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn upload(running: &Running, filename: &str) -> reqwest::Response {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"{EMAIL}\"\r\n\r\n{CARD}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
         Content-Type: text/plain; owner=\"{EMAIL}\"\r\n\r\nfrom {EMAIL}, {TOKEN}\r\n--b--\r\n"
    );
    reqwest::Client::new()
        .put(running.url("/clients/globex/upload-document"))
        .header("x-api-key", "globex-key")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(body)
        .send()
        .await
        .expect("an answer")
}

/// A request with something planted wherever a caller may write.
async fn plant(running: &Running, path: &str) {
    reqwest::Client::new()
        .get(running.url(path))
        .header("x-api-key", "globex-key")
        .header("x-request-id", CARD)
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("user-agent", EMAIL)
        .header("if-none-match", format!("\"{EMAIL}\""))
        .header("baggage", format!("user={EMAIL}"))
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .header("tracestate", format!("vendor={EMAIL}"))
        .send()
        .await
        .expect("an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_line_without_personal_data_and_a_probe_is_none() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let running = Running::start(&tenancy, None);
    for probe in ["/health", "/livez", "/readyz", "/metrics"] {
        reqwest::get(running.url(probe)).await.expect("an answer");
    }
    assert_eq!(
        upload(&running, &format!("{EMAIL} {CARD}.txt"))
            .await
            .status(),
        201
    );
    let paths = [
        format!("/clients/globex/documents?name={EMAIL}"),
        format!("/clients/globex/documents?{SSN}=1"),
        format!("/clients/globex/documents?limit={CARD}"),
        format!("/clients/{EMAIL}/documents/1"),
        "/clients/globex/documents/4111111111111111".to_owned(),
        format!("/clients/globex/documents/{TOKEN}"),
        format!("/{SSN}?token={TOKEN}"),
        "/clients/globex/documents/1".to_owned(),
    ];
    for path in &paths {
        plant(&running, path).await;
    }
    let invented = reqwest::Method::from_bytes(b"4111111111111111").expect("a method");
    let odd = reqwest::Client::new().request(invented, running.url("/livez"));
    odd.send().await.expect("an answer");
    let odd = reqwest::Method::from_bytes(b"4111111111111112").expect("a method");
    let odd = reqwest::Client::new().request(odd, running.url("/nothing"));
    odd.send().await.expect("an answer");

    let expected = 1 + paths.len() + 1;
    eventually("a line for each request", async || {
        running.requests().len() >= expected
    })
    .await;
    let requests = running.requests();
    assert_eq!(requests.len(), expected, "{requests:#?}");
    for line in &requests {
        for key in [
            "timestamp",
            "trace_id",
            "span_id",
            "correlation_id",
            "method",
            "route",
        ] {
            assert!(line[key].is_string(), "{key}: {line}");
        }
        assert!(
            line["status"].is_u64() && line["duration_ms"].is_f64(),
            "{line}"
        );
    }
    let ids: BTreeSet<_> = requests
        .iter()
        .map(|line| line["correlation_id"].as_str())
        .collect();
    assert_eq!(ids.len(), expected, "a card number is no request id");
    let log = format!("{:?}", running.lines());
    // Four digits of it would stand in some random id now and then.
    for planted in [EMAIL, CARD, SSN, TOKEN, "4111-1111", "41111111", "jane"] {
        assert!(!log.contains(planted), "{planted}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_before_the_answer_has_its_line() {
    let (tenancy, s3) = with_s3().await;
    let running = Running::start(&tenancy, None);
    let mut caller = TcpStream::connect(&running.address)
        .await
        .expect("a connection");
    let head = format!(
        "PUT /clients/globex/upload-document HTTP/1.1\r\nHost: a\r\nX-API-Key: globex-key\r\n\
         X-Request-ID: gone-1\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: {}\r\n\r\n{SMALL}",
        SMALL.len()
    );
    caller.write_all(head.as_bytes()).await.expect("sent");
    let (_unanswered, _) = s3.accept().await.expect("a request to S3");
    drop(caller);
    eventually("its line", async || !running.requests().is_empty()).await;
    let requests = running.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0]["message"], "request abandoned by its caller");
    assert_eq!(requests[0]["correlation_id"], "gone-1");
}

/// A collector that is gone, and one that takes connections and never answers.
async fn absent_collectors() -> [(String, Option<TcpListener>); 2] {
    let gone = format!("http://{}", free_address().expect("an address"));
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stuck = format!("http://{}", silent.local_addr().expect("an address"));
    [(gone, None), (stuck, Some(silent))]
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_the_collector_costs_no_request_and_is_counted_for_each_signal() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    for (collector, _listener) in absent_collectors().await {
        let running = Running::start(&tenancy, Some(&collector));
        let started = std::time::Instant::now();
        for number in 0..50 {
            assert_eq!(
                upload(&running, &format!("{number}.txt")).await.status(),
                201
            );
        }
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "requests wait for {collector}"
        );
        for signal in ["traces", "logs", "metrics"] {
            let name =
                format!("telemetry_dropped_total{{reason=\"export_failed\",signal=\"{signal}\"}}");
            eventually(&format!("{name} at {collector}"), async || {
                running.metric(&name).await > 0.0
            })
            .await;
            let exported = format!("telemetry_exported_total{{signal=\"{signal}\"}}");
            assert_eq!(running.metric(&exported).await, 0.0, "{exported}");
        }
    }
}

/// A body with a file of one byte.
const SMALL: &str =
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";

/// A tenant whose S3 is the listener.
async fn with_s3() -> (Tenancy, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let mut tenancy = Tenancy::without_database("ApiKey");
    tenancy.config["workloads"]["documents"]["storage"] =
        json!({"s3": {"bucket": "acme", "endpoint": endpoint, "region": "us-east-1"}});
    (tenancy, listener)
}

/// Refuses one S3 request; its head.
async fn one_s3_request(s3: TcpListener) -> String {
    let (mut connection, _) = s3.accept().await.expect("a connection");
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        connection.read_buf(&mut head).await.expect("read");
    }
    let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    connection.write_all(answer).await.expect("answered");
    String::from_utf8_lossy(&head).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_s3_is_asked_belongs_to_the_callers_trace() {
    let (tenancy, s3) = with_s3().await;
    let running = Running::start(&tenancy, None);
    let asked = tokio::spawn(one_s3_request(s3));
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let answer = reqwest::Client::new()
        .put(running.url("/clients/globex/upload-document"))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .header("x-api-key", "globex-key")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(SMALL)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 503);
    let head = asked.await.expect("a request");
    assert!(head.starts_with("PUT /acme/"), "{head}");
    assert!(
        head.contains(&format!("traceparent: 00-{trace}-")),
        "{head}"
    );
}

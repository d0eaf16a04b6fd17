//! What tenants' collectors do, tested with the collector of our image.

mod chart_gateway;
mod long_outage;
mod out_of_date;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use docket_contract::Tls;
use docket_loopback::free_address;
use docket_testing_support::{Authority, Collector};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{collector_config, collector_secrets};
use crate::validated_tenant::example::acme;
use crate::validated_tenant::{Telemetry, ValidatedTenant};

/// How long a collector may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a collector lets lines wait for others, on their way to the queue.
const BATCHES_WAIT: Duration = Duration::from_millis(200);

/// Name that the gateway's certificate has.
const GATEWAY: &str = "gateway.test";

/// Attribute that gives an item its size, and that a gateway does not write down.
const PADDING: &str = "padding";

/// One that nobody trusts yet.
fn new_authority() -> Authority {
    Authority::new("test").expect("an authority")
}

/// A certificate for `name`, accepted until this year.
fn issue_until(authority: &Authority, name: &str, year: i32) -> Tls {
    let made = authority.certify_until(name, year).expect("a certificate");
    Tls {
        certificate: made.certificate,
        key: made.key.into(),
    }
}

/// The same, with an end that no test sees.
fn issue(authority: &Authority, name: &str) -> Tls {
    issue_until(authority, name, 2999)
}

fn free_port() -> u16 {
    free_address().expect("an address").port()
}

fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("written");
    path
}

/// The files that `wanted` gives a collector, in their order.
fn files(wanted: &ValidatedTenant, folder: &Path) -> Vec<PathBuf> {
    let config = collector_config::build(wanted).data.expect("files");
    let config = config[collector_config::FILE].as_bytes();
    let mut files = vec![write(folder, collector_config::FILE, config)];
    if let Some(secrets) = collector_secrets::file(&wanted.telemetry) {
        files.push(write(folder, collector_secrets::FILE, &secrets));
    }
    files
}

fn sending(telemetry: Telemetry) -> ValidatedTenant {
    ValidatedTenant {
        telemetry,
        ..acme()
    }
}

/// Asks `done` until it has an answer.
async fn until<T>(what: &str, mut done: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = done().await {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until `collector` says so at its port `health`.
async fn healthy(collector: &mut Collector, health: u16, http: &reqwest::Client) {
    let url = format!("http://127.0.0.1:{health}/");
    until("health", async || {
        assert!(collector.ended().is_none(), "{}", collector.log());
        let answer = http.get(&url).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
}

/// A tenant's collector on this machine.
struct Sidecar {
    collector: Collector,
    files: Vec<PathBuf>,
    folder: TempDir,
    http: reqwest::Client,
    otlp: u16,
    health: u16,
    metrics: u16,
}

impl Sidecar {
    /// As it is in a pod, but for where it listens and keeps its queue, and for `change`.
    fn begin(wanted: &ValidatedTenant, change: Value) -> Self {
        // The test before may have done so.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let queue = folder.path().join("queue");
        std::fs::create_dir(&queue).expect("made");
        let [grpc, otlp, health, metrics] = [(); 4].map(|()| free_port());
        let at = |port| format!("127.0.0.1:{port}");
        let here = json!({
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": at(grpc)}, "http": {"endpoint": at(otlp)}}}},
            "extensions": {"health_check": {"endpoint": at(health)}, "file_storage": {"directory": queue}},
            "service": {"telemetry": {"metrics": {"readers": [
                {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": metrics}}}},
            ]}}},
        });
        let mut files = files(wanted, folder.path());
        for (name, file) in [("here.yaml", here), ("change.yaml", change)] {
            files.push(write(folder.path(), name, file.to_string().as_bytes()));
        }
        Self {
            collector: Collector::start(&files, folder.path().join("log")).expect("it starts"),
            files,
            folder,
            http: reqwest::Client::new(),
            otlp,
            health,
            metrics,
        }
    }

    async fn start(wanted: &ValidatedTenant, change: Value) -> Self {
        let mut sidecar = Self::begin(wanted, change);
        sidecar.healthy().await;
        sidecar
    }

    async fn crash_and_start_again(&mut self) {
        self.collector.kill();
        let log = self.folder.path().join("log");
        self.collector = Collector::start(&self.files, log).expect("it starts");
        self.healthy().await;
    }

    async fn healthy(&mut self) {
        healthy(&mut self.collector, self.health, &self.http).await;
    }

    async fn send(&self, signal: &str, body: &Value) {
        let url = format!("http://127.0.0.1:{}/v1/{signal}", self.otlp);
        let answer = self.http.post(url).json(body).send().await.expect("sent");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    async fn log_lines(&self, lines: &[String]) {
        let record = |line: &String| json!({"timeUnixNano": "1", "body": {"stringValue": line}});
        let records: Vec<Value> = lines.iter().map(record).collect();
        let logs = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
        self.send("logs", &logs).await;
    }

    /// Sum of a metric of its own, over all series of the signal `logs`.
    async fn metric(&self, name: &str) -> Option<f64> {
        let is_of_logs = |line: &str| line.contains("\"logs\"") || line.contains("log_records");
        self.sum(name, is_of_logs).await
    }

    /// The same over the series that `is_asked_for` chooses by their lines.
    async fn sum(&self, name: &str, is_asked_for: impl Fn(&str) -> bool) -> Option<f64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.metrics);
        let page = self.http.get(url).send().await.ok()?.text().await.ok()?;
        let series = page
            .lines()
            .filter(|line| line.starts_with(name) && is_asked_for(line));
        let values: Vec<f64> = series
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }
}

/// What tenants send to: another collector.
struct Gateway {
    collector: Collector,
    folder: TempDir,
}

impl Gateway {
    /// On `port`, with what `tls` says of certificates.
    fn start(port: u16, tls: Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut otlp = json!({"endpoint": format!("127.0.0.1:{port}"), "include_metadata": true});
        if !tls.is_null() {
            otlp["tls"] = tls;
        }
        let header = |name: &str| json!({"key": name, "from_context": format!("metadata.{name}"), "action": "upsert"});
        let actions = json!([header("authorization"), header("x-scope"), {"key": PADDING, "action": "delete"}]);
        let pipeline =
            json!({"receivers": ["otlp"], "processors": ["attributes"], "exporters": ["file"]});
        let config = json!({
            "receivers": {"otlp": {"protocols": {"grpc": otlp}}},
            "processors": {"attributes": {"actions": actions}},
            "exporters": {"file": {"path": folder.path().join("out"), "flush_interval": "50ms"}},
            "service": {
                "pipelines": {"logs": pipeline, "traces": pipeline, "metrics": pipeline},
                "telemetry": {"metrics": {"level": "none"}},
            },
        });
        let file = write(folder.path(), "gateway.yaml", config.to_string().as_bytes());
        let collector = Collector::start(&[file], folder.path().join("log")).expect("it starts");
        Self { collector, folder }
    }

    /// With a certificate of `authority`, for callers who show one of it.
    fn with_mutual_tls(port: u16, authority: &Authority) -> (Self, TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let callers = write(folder.path(), "callers.crt", authority.pem().as_bytes());
        let tls = issue(authority, GATEWAY);
        let tls = json!({"cert_pem": tls.certificate, "key_pem": secrecy::ExposeSecret::expose_secret(&tls.key),
            "client_ca_file": callers});
        (Self::start(port, tls), folder)
    }

    fn written(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("out")).unwrap_or_default()
    }

    /// The lines of logs that arrived.
    fn lines(&self) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for batch in self.written().lines() {
            let Ok(batch) = serde_json::from_str::<Value>(batch) else {
                continue;
            };
            let resources = batch["resourceLogs"].as_array().into_iter().flatten();
            let scopes = resources.flat_map(|it| it["scopeLogs"].as_array().into_iter().flatten());
            let records = scopes.flat_map(|it| it["logRecords"].as_array().into_iter().flatten());
            let texts = records.filter_map(|it| it["body"]["stringValue"].as_str());
            lines.extend(texts.map(str::to_owned));
        }
        lines
    }
}

/// Does not make a test wait.
fn hasty() -> Value {
    json!({"exporters": {"otlp_grpc": {
        "retry_on_failure": {"initial_interval": "100ms", "max_interval": "500ms"},
    }}})
}

#[tokio::test(flavor = "multi_thread")]
async fn telemetry_arrives_over_mutual_tls_with_the_headers_of_the_secret() {
    let (authority, port) = (new_authority(), free_port());
    let (gateway, _callers) = Gateway::with_mutual_tls(port, &authority);
    // Each of these characters means something in the collector's files.
    let token = "Bearer a$b${env:HOME} $$ {x: 'y', \"z\"} # true";
    let sidecar = Sidecar::start(
        &sending(Telemetry {
            endpoint: Some(format!("https://127.0.0.1:{port}")),
            authorities: Some(authority.pem()),
            certificate: Some(issue(&authority, "acme")),
            server_name: Some(GATEWAY.into()),
            headers: [
                ("authorization".to_owned(), token.into()),
                ("x-scope".to_owned(), "12".into()),
            ]
            .into(),
            ..Telemetry::default()
        }),
        hasty(),
    )
    .await;
    sidecar.log_lines(&["hello".into()]).await;
    let arrived = until("what was sent", async || {
        gateway.lines().contains("hello").then(|| gateway.written())
    })
    .await;
    let quoted = serde_json::to_string(token).expect("a string");
    assert!(arrived.contains(&quoted), "{arrived}");
    assert!(
        arrived.contains("\"x-scope\",\"value\":{\"stringValue\":\"12\"}"),
        "{arrived}"
    );
    assert!(
        arrived.contains("\"k8s.pod.name\",\"value\":{\"stringValue\":\"acme-api-1\"}"),
        "{arrived}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_of_another_authority_gets_nothing_and_the_log_says_why() {
    let (authority, port) = (new_authority(), free_port());
    let (gateway, _callers) = Gateway::with_mutual_tls(port, &authority);
    let sidecar = Sidecar::start(
        &sending(Telemetry {
            endpoint: Some(format!("https://127.0.0.1:{port}")),
            authorities: Some(new_authority().pem()),
            certificate: Some(issue(&authority, "acme")),
            server_name: Some(GATEWAY.into()),
            ..Telemetry::default()
        }),
        hasty(),
    )
    .await;
    sidecar.log_lines(&["hello".into()]).await;
    until("a sentence", async || {
        let log = sidecar.collector.log();
        log.contains("certificate signed by unknown authority")
            .then_some(())
    })
    .await;
    until("what waits", async || {
        let waiting = sidecar.metric("otelcol_exporter_queue_size").await?;
        (waiting > 0.0).then_some(())
    })
    .await;
    assert!(gateway.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_read_ends_the_collector_and_its_last_line_says_why() {
    let nonsense = Tls {
        certificate: "nonsense".into(),
        key: "nonsense".into(),
    };
    let telemetry = Telemetry {
        endpoint: Some("https://127.0.0.1:1".into()),
        certificate: Some(nonsense),
        ..Telemetry::default()
    };
    let mut sidecar = Sidecar::begin(&sending(telemetry), json!({}));
    until("its end", async || sidecar.collector.ended()).await;
    let log = sidecar.collector.log();
    let last = log.lines().last().unwrap_or_default();
    assert!(last.contains("failed to load TLS cert and key"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_tenants_patterns_match_is_taken_out_of_values_names_and_log_lines() {
    let port = free_port();
    let gateway = Gateway::start(port, Value::Null);
    let patterns = [r"acme-[0-9]{6}\b", r#"q"\d+"#, r"\$\{[a-z]+}$", "it's me"];
    let sidecar = Sidecar::start(
        &sending(Telemetry {
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            redacted: patterns.map(str::to_owned).into(),
            ..Telemetry::default()
        }),
        hasty(),
    )
    .await;
    // The first is one that holds nothing by our own rules, and is not even searched by them.
    let planted = ["of acme-123456", "q\"77", "${secret}", "it's me"];
    let attributes: Vec<Value> = planted
        .iter()
        .enumerate()
        .map(|(at, text)| json!({"key": format!("a{at}"), "value": {"stringValue": text}}))
        .collect();
    for text in planted {
        let kept = format!("kept {text}");
        sidecar.log_lines(std::slice::from_ref(&kept)).await;
        let event = json!({"name": kept, "timeUnixNano": "1"});
        let span = json!({
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": kept,
            "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": attributes,
            "status": {"code": 2, "message": kept}, "events": [event],
        });
        let spans = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
        sidecar.send("traces", &spans).await;
    }
    let arrived = until("all of it", async || {
        let written = gateway.written();
        // Of each text: a log line, and name, message and event of a span.
        (written.matches("kept ").count() >= 16).then_some(written)
    })
    .await;
    for part in ["acme-123456", "q\\\"77", "{secret}", "it's me"] {
        assert!(!arrived.contains(part), "{part}: {arrived}");
    }
    assert!(arrived.contains("kept of ****"), "{arrived}");
}

/// `count` lines of `bytes` each, told apart by their number.
fn numbered(from: usize, count: usize, bytes: usize) -> Vec<String> {
    let line = |number| format!("{number:06} {}", "x".repeat(bytes - 7));
    (from..from + count).map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_gateway_survives_a_crash_and_arrives_once_it_is_back() {
    let port = free_port();
    let mut sidecar = Sidecar::start(
        &sending(Telemetry {
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            ..Telemetry::default()
        }),
        hasty(),
    )
    .await;
    let mut sent = BTreeSet::new();
    for batch in 0..40 {
        let lines = numbered(batch * 100, 100, 200);
        sidecar.log_lines(&lines).await;
        sent.extend(lines);
    }
    // Only what is in the queue survives, and batches take a moment to get there.
    let bytes: usize = sent.iter().map(String::len).sum();
    let mut last = (0.0, Instant::now());
    until("all in the queue", async || {
        let waiting = sidecar.metric("otelcol_exporter_queue_size").await?;
        if waiting > last.0 {
            last = (waiting, Instant::now());
        }
        // The size of a line in the queue is the collector's business, but it is more than its bytes.
        (waiting > bytes as f64 && last.1.elapsed() > BATCHES_WAIT * 5).then_some(())
    })
    .await;
    sidecar.crash_and_start_again().await;
    let gateway = Gateway::start(port, Value::Null);
    until("all lines", async || {
        (gateway.lines().len() >= sent.len()).then_some(())
    })
    .await;
    assert!(gateway.lines() == sent, "other lines than were sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_its_bound_the_queue_keeps_the_oldest_and_counts_what_it_drops() {
    let port = free_port();
    let mut change = hasty();
    change["exporters"]["otlp_grpc"]["sending_queue"] =
        json!({"sizer": "items", "queue_size": 100});
    change["processors"] = json!({"batch": {"send_batch_size": 10, "send_batch_max_size": 10}});
    let sidecar = Sidecar::start(
        &sending(Telemetry {
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            ..Telemetry::default()
        }),
        change,
    )
    .await;
    let lines = numbered(0, 400, 100);
    for batch in lines.chunks(10) {
        sidecar.log_lines(batch).await;
    }
    until("all of them dealt with", async || {
        let waiting = sidecar.metric("otelcol_exporter_queue_size").await?;
        let dropped = sidecar
            .metric("otelcol_exporter_enqueue_failed_log_records")
            .await?;
        (waiting == 100.0 && dropped == 300.0).then_some(())
    })
    .await;
    let gateway = Gateway::start(port, Value::Null);
    until("what waited", async || {
        (gateway.lines().len() >= 100).then_some(())
    })
    .await;
    let oldest: BTreeSet<String> = lines.into_iter().take(100).collect();
    assert!(gateway.lines() == oldest, "others than the oldest");
}

fn telemetry() -> impl Strategy<Value = Telemetry> {
    let tls = issue(&new_authority(), "acme");
    let endpoint = proptest::option::of(proptest::sample::select(vec![
        "http://gateway:4317",
        "https://gateway.example.com:443",
        "https://[2001:db8::1]:4317",
    ]));
    let pattern = proptest::sample::select(vec![
        r"acme-[0-9]{6}$",
        r#"a"b\\"#,
        r"(?i)(?P<n>x)",
        r"^\$\{3}",
        r"\Q$$\E",
        r"[[:alpha:]]+'\x22",
    ]);
    let patterns = proptest::collection::vec(pattern, 0..6);
    let headers = proptest::collection::btree_map("[a-z][a-z0-9_.-]{0,20}", "[ -~]{1,40}", 0..4);
    (endpoint, patterns, headers, any::<bool>(), any::<bool>()).prop_map(
        move |(endpoint, patterns, headers, authorities, certificate)| Telemetry {
            endpoint: endpoint.map(Into::into),
            authorities: authorities.then(|| tls.certificate.clone()),
            certificate: certificate.then(|| tls.clone()),
            server_name: certificate.then(|| GATEWAY.to_owned()),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
            redacted: patterns.into_iter().map(Into::into).collect(),
            ..Telemetry::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_tenant_asks_for_is_a_configuration_that_the_collector_takes(telemetry in telemetry()) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = files(&sending(telemetry), folder.path());
        let queue = json!({"extensions": {"file_storage": {"directory": folder.path()}}});
        files.push(write(folder.path(), "here.yaml", queue.to_string().as_bytes()));
        prop_assert!(Collector::validate(&files).is_ok(), "{:?}", Collector::validate(&files));
    }
}

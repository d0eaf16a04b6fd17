//! The gateway of `charts/docket-dev`, with the very files of the chart: which traces it keeps, and whom it
//! takes them from.

use std::time::{SystemTime, UNIX_EPOCH};

use super::*;

/// The files of the chart.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts/docket-dev/files");

/// A gateway, and where it keeps what it received.
struct ChartGateway {
    collector: Collector,
    folder: TempDir,
    http: reqwest::Client,
    port: u16,
}

impl ChartGateway {
    /// As the chart starts it with `files` and `variables`, but for where it listens and writes. Its ports
    /// are `grpc` and one that only tests know.
    async fn start(grpc: u16, files: &[&str], variables: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let [port, health] = [(); 2].map(|()| free_port());
        let at = |port| format!("127.0.0.1:{port}");
        let path = |name: &str| json!({"path": folder.path().join(name)});
        let here = json!({
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": at(grpc)}, "http": {"endpoint": at(port)}}}},
            "extensions": {"health_check": {"endpoint": at(health)}},
            "exporters": {"file/traces": path("traces"), "file/logs": path("logs"), "file/metrics": path("metrics")},
            "service": {"telemetry": {"metrics": {"level": "none"}}},
        });
        let mut configs: Vec<PathBuf> = files.iter().map(|it| Path::new(FILES).join(it)).collect();
        configs.push(write(
            folder.path(),
            "here.yaml",
            here.to_string().as_bytes(),
        ));
        let variables = [&[("MAX_MEGABYTES", "1")], variables].concat();
        let log = folder.path().join("log");
        let mut gateway = Self {
            collector: Collector::start_with(&configs, &variables, log).expect("it starts"),
            folder,
            http: reqwest::Client::new(),
            port,
        };
        healthy(&mut gateway.collector, health, &gateway.http).await;
        gateway
    }

    async fn take(&self, spans: &[Value]) {
        let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]});
        let url = format!("http://127.0.0.1:{}/v1/traces", self.port);
        let answer = self.http.post(url).json(&body).send().await.expect("sent");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    fn written(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    /// Trace and name of each span that is kept, in the order of names.
    fn kept(&self) -> Vec<(String, String)> {
        let text = self.written("traces");
        let batches = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let mut kept = Vec::new();
        for batch in batches.collect::<Vec<Value>>() {
            let resources = batch["resourceSpans"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let scopes = resources
                .iter()
                .flat_map(|it| it["scopeSpans"].as_array().into_iter().flatten());
            let spans = scopes.flat_map(|it| it["spans"].as_array().into_iter().flatten());
            kept.extend(spans.map(|span| {
                let text = |key: &str| span[key].as_str().unwrap_or_default().to_owned();
                (text("traceId"), text("name"))
            }));
        }
        kept.sort();
        kept
    }
}

/// A span of `trace` that took `milliseconds` until now; a server's is the root.
fn span(trace: u64, name: &str, milliseconds: u64, is_server: bool) -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let end = u64::try_from(now.as_nanos()).expect("before 2554");
    let id = |salt: u64| format!("{:016x}", trace * 16 + salt);
    json!({
        "traceId": trace_id(trace), "name": name,
        "spanId": if is_server { id(1) } else { id(2) },
        "parentSpanId": if is_server { String::new() } else { id(1) },
        "kind": if is_server { 2 } else { 1 },
        "startTimeUnixNano": (end - milliseconds * 1_000_000).to_string(), "endTimeUnixNano": end.to_string(),
    })
}

/// Each half of its own: the collector knows decided traces by the second one.
fn trace_id(trace: u64) -> String {
    format!("{trace:016x}{trace:016x}")
}

fn failed(mut span: Value) -> Value {
    span["status"] = json!({"code": 2});
    span
}

const SAMPLING: [&str; 2] = ["gateway.yaml", "gateway-sampling.yaml"];

fn sampling(percent: &str) -> [(&'static str, &str); 3] {
    [
        ("SAMPLED_PERCENT", percent),
        ("SLOW_MILLISECONDS", "1000"),
        ("DECISION_WAIT", "3s"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_samples_keeps_all_that_failed_or_was_slow_each_span_once() {
    let gateway = ChartGateway::start(free_port(), &SAMPLING, &sampling("0")).await;
    let [failing, slow, good, inner, late, kept, rootless] = [1, 2, 3, 4, 5, 6, 7];
    gateway.take(&[span(late, "early child", 1, false)]).await;
    // Decided on after the one before, for it waits as long.
    gateway
        .take(&[failed(span(rootless, "child", 1, false))])
        .await;
    gateway
        .take(&[
            span(failing, "child", 1, false),
            failed(span(failing, "request", 10, true)),
            span(slow, "child", 1, false),
            span(slow, "request", 1200, true),
            span(good, "child", 1, false),
            span(good, "request", 900, true),
            failed(span(inner, "child", 1, false)),
            span(inner, "request", 10, true),
        ])
        .await;
    let mut marked = span(kept, "request", 10, true);
    marked["attributes"] = json!([{"key": "docket.kept", "value": {"stringValue": "slow"}}]);
    gateway.take(&[marked]).await;
    let expected = |traces: &[(u64, &str)]| -> Vec<(String, String)> {
        let mut all: Vec<_> = traces
            .iter()
            .map(|(id, name)| (trace_id(*id), (*name).to_owned()))
            .collect();
        all.sort();
        all
    };
    let mut all = vec![
        (failing, "child"),
        (failing, "request"),
        (slow, "child"),
        (slow, "request"),
        (inner, "child"),
        (inner, "request"),
        (kept, "request"),
        (rootless, "child"),
    ];
    until("all of what is to be kept", async || {
        (gateway.kept().len() >= all.len()).then_some(())
    })
    .await;
    assert_eq!(gateway.kept(), expected(&all));
    // Decided on long before the request ends: its own span is kept all the same.
    gateway
        .take(&[failed(span(late, "request", 5000, true))])
        .await;
    all.push((late, "request"));
    until("a request that failed late", async || {
        (gateway.kept().len() >= all.len()).then_some(())
    })
    .await;
    assert_eq!(gateway.kept(), expected(&all));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_samples_keeps_a_part_of_what_is_well() {
    const COUNT: u64 = 400;
    let gateway = ChartGateway::start(free_port(), &SAMPLING, &sampling("50")).await;
    let spans: Vec<Value> = (1..=COUNT)
        .map(|trace| span(trace * 7919, "request", 10, true))
        .collect();
    gateway.take(&spans).await;
    until("a part", async || {
        (gateway.kept().len() > 120).then_some(())
    })
    .await;
    let kept = gateway.kept().len();
    assert!(kept < 280, "{kept}");
}

const MUTUAL: [&str; 3] = [
    "gateway.yaml",
    "gateway-tls.yaml",
    "gateway-mutual-tls.yaml",
];

fn shown_to(port: u16, authority: &Authority, certificate: Option<Tls>) -> ValidatedTenant {
    sending(Telemetry {
        endpoint: Some(format!("https://127.0.0.1:{port}")),
        authorities: Some(authority.pem()),
        certificate,
        server_name: Some(GATEWAY.into()),
        ..Telemetry::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_mutual_tls_takes_from_those_whom_its_authority_knows_and_tells_others_why_not()
 {
    let (authority, port) = (new_authority(), free_port());
    let certificates = tempfile::tempdir().expect("a folder");
    let own = issue(&authority, GATEWAY);
    let key = secrecy::ExposeSecret::expose_secret(&own.key);
    for (name, content) in [
        ("ca.crt", &*authority.pem()),
        ("tls.crt", &*own.certificate),
        ("tls.key", key),
    ] {
        write(certificates.path(), name, content.as_bytes());
    }
    let folder = certificates.path().to_str().expect("UTF-8");
    let gateway = ChartGateway::start(port, &MUTUAL, &[("TLS_FOLDER", folder)]).await;

    let known = shown_to(port, &authority, Some(issue(&authority, "acme")));
    let known = Sidecar::start(&known, hasty()).await;
    known.log_lines(&["known".into()]).await;
    until("what one sent whom it knows", async || {
        gateway.written("logs").contains("known").then_some(())
    })
    .await;

    let strange = Some(issue(&new_authority(), "acme"));
    for (certificate, says) in [
        (
            strange,
            ["unknown certificate authority", "bad certificate"],
        ),
        (None, ["certificate required", "bad certificate"]),
    ] {
        let stranger = Sidecar::start(&shown_to(port, &authority, certificate), hasty()).await;
        stranger.log_lines(&["a stranger's".into()]).await;
        until("why it is refused", async || {
            let log = stranger.collector.log();
            says.iter().any(|says| log.contains(says)).then_some(())
        })
        .await;
    }
    assert!(!gateway.written("logs").contains("stranger"));
}

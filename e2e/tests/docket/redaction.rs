use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use docket_crds::names;
use docket_e2e::gateway::{everything_with, line};
use docket_e2e::retry;
use docket_e2e::scenario::{Scenario, TENANT, scenario};
use docket_e2e::wait::until;
use docket_loopback::free_address;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::ResourceExt;
use kube::api::{ListParams, LogParams};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// Personal data that no other test has.
struct Planted {
    email: String,
    card: String,
    ssn: String,
    token: String,
}

impl Planted {
    fn new() -> Self {
        let number = Uuid::new_v4().as_u128();
        let card = with_check_digit(&format!("4{:014}", number % 100_000_000_000_000));
        let groups: Vec<&str> = [0, 4, 8, 12].map(|at| &card[at..at + 4]).into();
        Self {
            email: format!("jane-{:x}@example.com", number >> 80),
            card: groups.join("-"),
            ssn: format!(
                "{}-{}-{}",
                100 + number % 500,
                10 + number % 89,
                1000 + number % 8999
            ),
            token: format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", Uuid::new_v4().simple()),
        }
    }

    fn all(&self) -> [&str; 4] {
        [&self.email, &self.card, &self.ssn, &self.token]
    }
}

/// `digits` with the check digit of a payment card number.
fn with_check_digit(digits: &str) -> String {
    let doubled = |digit: u32| digit * 2 / 10 + digit * 2 % 10;
    let values = digits.chars().rev().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = values
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { doubled(digit) } else { digit })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Sends `request` with something planted in every header that a caller may choose; its trace id.
async fn send(request: RequestBuilder, planted: &Planted) -> Result<String> {
    let trace_id = Uuid::new_v4().simple().to_string();
    let request = request
        .header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"))
        .header("tracestate", format!("vendor={}", planted.email))
        .header("baggage", format!("user={}", planted.email))
        .header("x-request-id", &planted.card)
        .header("authorization", format!("Bearer {}", planted.token))
        .header("user-agent", &planted.email)
        .header("cookie", format!("session={}", planted.token));
    let again = || request.try_clone().expect("a body in memory");
    let answer = retry::send(again).await?;
    ensure!(!answer.status().is_server_error(), "{}", answer.status());
    Ok(trace_id)
}

#[tokio::test]
async fn nothing_personal_that_callers_send_reaches_the_gateway_or_a_log() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let documents = it.documents("globex").await?;
        let planted = Planted::new();
        let [email, card, ssn, token] = planted.all();
        let get = |path: String| documents.request(Method::GET, &path);
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"{email}\"\r\n\r\n{card}\r\n--b\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{email} {card} {ssn}.txt\"\r\n\
             Content-Type: text/plain; owner=\"{email}\"\r\n\r\n{email} {card} {ssn} {token}\r\n--b--\r\n"
        );
        let upload = documents
            .request(Method::PUT, "upload-document")
            .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(body);
        let broken = documents
            .request(Method::PUT, "upload-document")
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={email}"))
            .body(format!("--{email}\r\n{card}"));
        let requests = [
            upload,
            broken,
            get(format!("documents?name={email}")),
            get(format!("documents?name={}", email.replace('@', "%40"))),
            get(format!("documents?{ssn}=1")),
            get(format!("documents?cursor={token}")),
            get(format!("documents/{}", card.replace('-', ""))),
            get(format!("documents/{ssn}")),
            get(format!("{token}?api_key={token}")),
            documents.on_routes_of(email).request(Method::GET, "documents"),
            documents.request(Method::from_bytes(card.as_bytes())?, "documents"),
        ];
        for request in requests {
            let trace_id = send(request, &planted).await?;
            for file in ["/data/traces.jsonl", "/data/logs.jsonl"] {
                line(&it.client, &trace_id, file).await?;
            }
        }
        let digits = card.replace('-', "");
        let encoded = email.replace('@', "%40");
        let logs = logs(it).await?;
        for text in planted.all().into_iter().chain([digits.as_str(), &encoded]) {
            let arrived = everything_with(&it.client, text).await?;
            ensure!(arrived.is_empty(), "{text} reached the gateway: {arrived}");
            let logged = logs.lines().find(|line| line.contains(text));
            ensure!(logged.is_none(), "{text} is in a log: {logged:?}");
        }
        Ok(())
    })
    .await;
}

/// Of the tenant's containers, the operator and Postgres.
async fn logs(it: &Scenario) -> Result<String> {
    let mut all = String::new();
    for namespace in [&it.namespace, "docket-system", "docket-dev"] {
        let pods: kube::Api<Pod> = kube::Api::namespaced(it.client.clone(), namespace);
        for pod in pods.list(&ListParams::default()).await? {
            let spec = pod.spec.clone().context("a spec")?;
            let sidecars = spec.init_containers.into_iter().flatten();
            for container in spec.containers.into_iter().chain(sidecars) {
                let params = LogParams {
                    container: Some(container.name),
                    ..LogParams::default()
                };
                all.push_str(&pods.logs(&pod.name_any(), &params).await?);
            }
        }
    }
    ensure!(
        all.contains("\"route\""),
        "there is no line of a request: {all}"
    );
    Ok(all)
}

/// A collector on this machine; it ends with the test.
struct Collector {
    process: Child,
    folder: std::path::PathBuf,
    url: String,
}

impl Collector {
    /// With the tenant's own configuration, but for where it listens and what it writes to.
    async fn start(it: &Scenario) -> Result<Self> {
        let config: ConfigMap = it.objects.get(&names::collector_config_map(TENANT)).await?;
        let config = config.data.and_then(|mut data| data.remove("config.yaml"));
        let mut config: Value = serde_saphyr::from_str(&config.context("a configuration")?)?;
        let folder = std::env::temp_dir().join(&it.namespace);
        std::fs::create_dir_all(&folder)?;
        let [otlp, health] = [free_address()?, free_address()?];
        config["receivers"]["otlp"]["protocols"] = json!({"http": {"endpoint": otlp}});
        config["extensions"]["health_check"]["endpoint"] = json!(health);
        config["extensions"]["file_storage"]["directory"] = json!(folder);
        config["service"]["telemetry"]["metrics"] = json!({"level": "none"});
        config["exporters"] =
            json!({"file": {"path": folder.join("out"), "flush_interval": "100ms"}});
        for signal in ["traces", "metrics", "logs"] {
            config["service"]["pipelines"][signal]["exporters"] = json!(["file"]);
        }
        std::fs::write(folder.join("config.yaml"), serde_yaml::to_string(&config)?)?;
        let process = Command::new("otelcol")
            .arg("--config")
            .arg(folder.join("config.yaml"))
            .env("POD_NAME", "local")
            .stderr(Stdio::null())
            .spawn()
            .context("there is no otelcol: run `make up`, then `eval \"$(make -s env)\"`")?;
        let health = format!("http://{health}");
        until("the collector", async || {
            let answer = reqwest::get(&health).await;
            Ok(answer.map_err(|error| error.to_string()))
        })
        .await?;
        let url = format!("http://{otlp}/v1");
        Ok(Self {
            process,
            folder,
            url,
        })
    }

    async fn send(&self, signal: &str, body: Value) -> Result<()> {
        let url = format!("{}/{signal}", self.url);
        reqwest::Client::new()
            .post(url)
            .json(&body)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// What it wrote, once that has `lines` lines.
    async fn wrote(&self, lines: usize) -> Result<String> {
        until("what the collector writes", async || {
            let written = std::fs::read_to_string(self.folder.join("out")).unwrap_or_default();
            // A line counts once its end is there: the last one may be half written.
            Ok(if written.matches('\n').count() >= lines {
                Ok(written)
            } else {
                Err(written)
            })
        })
        .await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have ended by itself, and a folder that stays behind is in the way of nobody.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn the_collector_redacts_what_the_api_server_did_not() {
    scenario(async |it| {
        it.ready(it.spec(&["globex"])).await?;
        let collector = Collector::start(it).await?;
        let secrets = [
            ("jane.doe@example.com", "jane.doe"),
            ("jane%40example.com", "jane%40"),
            ("4111-1111-1111-1111", "1111-1111"),
            ("visa_4111111111111111.pdf", "41111111"),
            ("078-05-1120", "05-1120"),
            ("GB29 NWBK 6016 1331 9268 19", "NWBK"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "eyJ"),
            ("Bearer abcdefghijkl", "abcdefghijkl"),
            ("postgres://user:hunter2@db/x", "hunter2"),
            ("password=hunter2", "hunter2"),
            ("AKIAIOSFODNN7EXAMPLE", "AKIAIOS"),
        ];
        let plain = "of trace 4bf92f3577b34da6a3ce929d0e0e4736 at 2026-11-21T16:42:25.123456789Z";
        let id = "0190163d-8694-739b-aea5-966c26f8ad91";
        let text = secrets.map(|(text, _)| text).join(" and ");
        let mut attributes: Vec<Value> = secrets
            .iter()
            .map(|(text, _)| text)
            .chain([&plain, &id])
            .enumerate()
            .map(|(at, text)| json!({"key": format!("a{at}"), "value": {"stringValue": text}}))
            .collect();
        let list = json!([{"stringValue": "jane.doe@example.com"}]);
        attributes.push(json!({"key": "list", "value": {"arrayValue": {"values": list}}}));
        let resource = json!({"attributes": attributes});
        let event = json!({"name": text, "timeUnixNano": "1", "attributes": attributes});
        let span = json!({
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": text,
            "traceState": "vendor=jane.doe@example.com", "startTimeUnixNano": "1", "endTimeUnixNano": "2",
            "attributes": attributes, "status": {"code": 2, "message": text}, "events": [event],
        });
        let spans = json!([{"resource": resource, "scopeSpans": [{"spans": [span]}]}]);
        collector.send("traces", json!({"resourceSpans": spans})).await?;
        let record = json!({"timeUnixNano": "1", "body": {"stringValue": text}, "attributes": attributes});
        let nested = json!({"timeUnixNano": "1", "body": {"kvlistValue": {"values": attributes}}});
        let records = json!([{"resource": resource, "scopeLogs": [{"logRecords": [record, nested]}]}]);
        collector.send("logs", json!({"resourceLogs": records})).await?;
        let point = json!({"asInt": "1", "timeUnixNano": "1", "attributes": attributes});
        let metric = json!({"name": "m", "gauge": {"dataPoints": [point]}});
        let metrics = json!([{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]);
        collector.send("metrics", json!({"resourceMetrics": metrics})).await?;

        let written = collector.wrote(3).await?;
        for (text, part) in secrets {
            if let Some(at) = written.find(part) {
                bail!("of {text}: {}", &written[at.saturating_sub(60)..at + 40]);
            }
        }
        for (kept, times) in [(plain, 7), (id, 7), ("****", 100)] {
            let found = written.matches(kept).count();
            ensure!(found >= times, "{kept} is there {found} times: {written}");
        }
        Ok(())
    })
    .await;
}

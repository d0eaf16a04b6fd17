//! What arrived at the gateway collector of the development stack.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{AttachParams, ListParams};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::scenario::DEV_NAMESPACE;
use crate::wait::until;

/// A span, as far as tests look at it.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its name.
    pub name: String,
    /// Its id, 16 hex digits.
    pub id: String,
    /// The id of its parent; empty for the first span of a trace.
    pub parent: String,
    /// Its string attributes.
    pub attributes: Vec<(String, String)>,
    /// The attribute `service.name` of its resource.
    pub service: String,
}

/// Waits until the trace has a span of each of `names`, and returns all of its spans.
///
/// # Errors
/// They do not arrive.
pub async fn spans(client: &Client, trace_id: &str, names: &[&str]) -> Result<Vec<Span>> {
    until(&format!("spans of trace {trace_id}"), async || {
        let lines = grep(client, trace_id, "/data/traces.jsonl").await?;
        let spans: Vec<Span> = lines
            .lines()
            .flat_map(|line| parse(line, trace_id))
            .collect();
        let missing: Vec<_> = names
            .iter()
            .filter(|name| !spans.iter().any(|span| span.name == **name))
            .collect();
        Ok(if missing.is_empty() {
            Ok(spans)
        } else {
            let found: Vec<_> = spans.iter().map(|span| &span.name).collect();
            Err(format!("{missing:?} are missing among {found:?}"))
        })
    })
    .await
}

/// Waits until a log line or metric that holds `text` is in the gateway's file `file`.
///
/// # Errors
/// It does not arrive.
pub async fn line(client: &Client, text: &str, file: &str) -> Result<String> {
    until(&format!("{text} in {file}"), async || {
        let lines = grep(client, text, file).await?;
        Ok(lines
            .lines()
            .next()
            .map(ToOwned::to_owned)
            .ok_or("no such line"))
    })
    .await
}

/// What the gateway has in any file with `text` in it; empty when that never arrived.
///
/// # Errors
/// The gateway cannot be asked.
pub async fn everything_with(client: &Client, text: &str) -> Result<String> {
    grep(client, text, "/data").await
}

async fn grep(client: &Client, text: &str, file: &str) -> Result<String> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), DEV_NAMESPACE);
    let list = pods.list(&ListParams::default()).await?;
    let gateway = list
        .iter()
        .map(ResourceExt::name_any)
        .find(|name| name.starts_with("gateway-"));
    let gateway = gateway.context("no gateway in the development stack")?;
    let params = AttachParams::default().container("reader").stderr(false);
    let command = ["grep", "-r", "-h", "-F", "-e", text, file];
    let mut process = pods.exec(&gateway, command, &params).await?;
    let mut output = String::new();
    process
        .stdout()
        .context("no output")?
        .read_to_string(&mut output)
        .await?;
    Ok(output)
}

fn parse(line: &str, trace_id: &str) -> Vec<Span> {
    let Ok(batch) = serde_json::from_str::<Value>(line) else {
        return Vec::new();
    };
    let mut spans = Vec::new();
    for resource in list(&batch["resourceSpans"]) {
        let attributes = strings(&resource["resource"]["attributes"]);
        let service = attributes
            .into_iter()
            .find(|(key, _)| key == "service.name");
        let service = service.map(|(_, value)| value).unwrap_or_default();
        for span in list(&resource["scopeSpans"]).flat_map(|scope| list(&scope["spans"])) {
            if span["traceId"] == trace_id {
                spans.push(Span {
                    name: text(&span["name"]),
                    id: text(&span["spanId"]),
                    parent: text(&span["parentSpanId"]),
                    attributes: strings(&span["attributes"]),
                    service: service.clone(),
                });
            }
        }
    }
    spans
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(attributes: &Value) -> Vec<(String, String)> {
    list(attributes)
        .map(|attribute| {
            (
                text(&attribute["key"]),
                text(&attribute["value"]["stringValue"]),
            )
        })
        .collect()
}

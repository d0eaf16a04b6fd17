//! What the service says of itself.

use serde_json::Value;

use super::way::{Ask, Way};
use super::{Seen, passed};

/// Pods of a tenant answer in turns, and each shows its own metrics: so often they are asked.
const SCRAPES: usize = 20;

pub(super) async fn components(way: &Way) -> Seen {
    let answer = way.ask(Ask::get("/health")).await?;
    let body = answer.json();
    let components: Vec<String> = body["components"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, status)| format!("{name} {}", status.as_str().unwrap_or("?")))
        .collect();
    let healthy = answer.status == 200 && body["status"] == "healthy" && !components.is_empty();
    match healthy {
        true => passed(format!(
            "{}, version {}",
            components.join(", "),
            body["version"].as_str().unwrap_or("?")
        )),
        false => Err(format!(
            "{} {}: {}",
            answer.status,
            components.join(", "),
            reasons(&body, &answer.excerpt())
        )),
    }
}

fn reasons(body: &Value, otherwise: &str) -> String {
    let reasons: Vec<&str> = body["reasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match reasons.is_empty() {
        true => otherwise.to_owned(),
        false => reasons.join("; "),
    }
}

pub(super) async fn probes(way: &Way) -> Seen {
    for path in ["/livez", "/readyz"] {
        let answer = way.ask(Ask::get(path)).await?;
        if answer.status != 200 {
            return Err(format!(
                "{path} answers {}: {}",
                answer.status,
                answer.excerpt()
            ));
        }
    }
    passed("/livez and /readyz answer 200")
}

pub(super) async fn metrics(way: &Way, names: &[&str]) -> Seen {
    let mut missing = names.to_vec();
    for _ in 0..SCRAPES {
        let answer = way
            .ask(Ask::get("/metrics").with("connection", "close"))
            .await?;
        if answer.status != 200 {
            return Err(format!(
                "/metrics answers {}: {}",
                answer.status,
                answer.excerpt()
            ));
        }
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        missing = super::exposition::missing(&text, &missing);
        if missing.is_empty() {
            return passed("in GET /metrics");
        }
    }
    Err(format!("/metrics has no {} above zero", missing.join(", ")))
}

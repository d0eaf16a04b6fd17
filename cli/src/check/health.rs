//! What the service says of itself.

use serde_json::Value;

use super::pods::Pods;
use super::report::Verdict;
use super::way::{Ask, Way};
use super::{Seen, passed};

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

/// Each pod shows what it measured itself, on a port that is not for callers.
pub(super) async fn metrics(pods: Option<&Pods>, names: &[&str]) -> Seen {
    let Some(pods) = pods else {
        return Ok(Verdict::Skipped("no cluster is asked".into()));
    };
    let mut missing = names.to_vec();
    let pages = match pods.metrics().await {
        Ok(pages) => pages,
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    for page in &pages {
        missing = super::exposition::missing(page, &missing);
    }
    match missing.is_empty() {
        true => passed(format!("in GET /metrics of {} pods", pages.len())),
        false => Err(format!(
            "/metrics of {} pods have no {} above zero",
            pages.len(),
            missing.join(", ")
        )),
    }
}

//! How often anybody wrote to the API server, as it says itself.

use anyhow::{Context as _, Result};
use docket_fault_matrix::Kubernetes;
use reqwest::Method;

/// Writes to the API server since it started, those of Leases left out: they are how a leader lives.
///
/// # Errors
/// It does not answer.
pub async fn so_far(kubernetes: &Kubernetes) -> Result<u64> {
    let answer = kubernetes.request(Method::GET, "/metrics").send().await?;
    let text = answer.error_for_status()?.text().await?;
    let counted = text.lines().filter(|line| is_write(line));
    counted
        .map(|line| {
            let (_, value) = line.rsplit_once(' ').context("a sample has a value")?;
            Ok(value.parse::<f64>()? as u64)
        })
        .sum()
}

fn is_write(sample: &str) -> bool {
    const VERBS: [&str; 5] = ["POST", "PUT", "PATCH", "APPLY", "DELETE"];
    sample.starts_with("apiserver_request_total{")
        && !sample.contains("resource=\"leases\"")
        && VERBS
            .iter()
            .any(|verb| sample.contains(&format!("verb=\"{verb}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_leases_and_other_counters_are_no_writes() {
        let write = |verb: &str, resource: &str| {
            is_write(&format!(
                "apiserver_request_total{{code=\"200\",resource=\"{resource}\",verb=\"{verb}\"}} 1"
            ))
        };
        assert!(write("APPLY", "secrets") && write("POST", "events"));
        assert!(!write("GET", "secrets") && !write("PUT", "leases"));
        assert!(!is_write("apiserver_request_slo_total{verb=\"POST\"} 1"));
    }
}

//! From an answer to the log line of its request.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::{Api, ResourceExt as _};
use serde_json::Value;

use super::client::Stored;
use super::report::Verdict;
use super::{Seen, passed};

/// A line is written a moment after its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the pods of a tenant are.
pub(super) struct Logs {
    pub pods: Api<Pod>,
    pub tenant: String,
}

/// The line of an upload names its correlation id and the trace that was answered.
pub(super) async fn line(logs: Option<&Logs>, stored: &Stored) -> Seen {
    let Some(logs) = logs else {
        return Ok(Verdict::Skipped("no cluster is asked".into()));
    };
    let start = Instant::now();
    loop {
        match logs.find(&stored.request).await {
            Err(why) => return Ok(Verdict::Skipped(why)),
            Ok(Some(line)) if line["trace_id"].as_str() == stored.trace.as_deref() => {
                return passed(line.to_string());
            }
            Ok(Some(line)) => {
                return Err(format!(
                    "the answer names the trace {:?}, the log {}",
                    stored.trace, line["trace_id"]
                ));
            }
            Ok(None) if start.elapsed() > PATIENCE => {
                return Err(format!(
                    "no pod's log has a request with the correlation_id {}",
                    stored.request
                ));
            }
            Ok(None) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
}

impl Logs {
    async fn find(&self, request: &str) -> Result<Option<Value>, String> {
        let of_tenant = ListParams::default().labels(&format!("docket.dev/tenant={}", self.tenant));
        let hidden = |error: kube::Error| {
            format!(
                "the pods' logs cannot be read: {}",
                crate::problem::root(&error)
            )
        };
        let pods = self.pods.list_metadata(&of_tenant).await.map_err(hidden)?;
        let recent = LogParams {
            container: Some("api".into()),
            since_seconds: Some(300),
            ..LogParams::default()
        };
        for pod in pods {
            let text = self
                .pods
                .logs(&pod.name_any(), &recent)
                .await
                .map_err(hidden)?;
            if let Some(line) = line_of(&text, request) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }
}

/// The one line of a request; others of the same id tell of what went wrong in it.
fn line_of(text: &str, request: &str) -> Option<Value> {
    let lines = text.lines().filter(|line| line.contains(request));
    let mut lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["correlation_id"] == request && line["message"] == "request")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_request_is_told_from_others_that_name_it() {
        let text = "no JSON my-id\n\
                    {\"message\":\"a cause\",\"correlation_id\":\"my-id\"}\n\
                    {\"message\":\"request\",\"correlation_id\":\"my-id-2\"}\n\
                    {\"message\":\"request\",\"correlation_id\":\"my-id\",\"trace_id\":\"t\"}\n";
        assert_eq!(line_of(text, "my-id").expect("a line")["trace_id"], "t");
        assert_eq!(line_of(text, "other"), None);
    }
}

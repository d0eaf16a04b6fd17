//! From an answer to the log line of its request.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::Value;

use super::client::Stored;
use super::report::Verdict;
use super::{Seen, passed};
use crate::pod_logs::{PodLine, lines_with};

/// A line is written a moment after its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Seconds back in which the line of a request of this run is.
const RECENT: i64 = 300;

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
        let of_tenant = docket_crds::labels::of_tenant(&self.tenant);
        let lines = lines_with(&self.pods, &of_tenant, Some(RECENT), request).await;
        let lines = lines.map_err(|error| {
            format!(
                "the pods' logs cannot be read: {}",
                crate::problem::root(&error)
            )
        })?;
        Ok(line_of(lines, request))
    }
}

/// The one line of a request; others of the same id tell of what went wrong in it.
fn line_of(lines: Vec<PodLine>, request: &str) -> Option<Value> {
    let mut lines = lines.into_iter().map(|it| it.line);
    lines.find(|line| line["correlation_id"] == request && line["message"] == "request")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_line_of_a_request_is_told_from_others_that_name_it() {
        let lines = [
            json!({"message": "a cause", "correlation_id": "my-id"}),
            json!({"message": "request", "correlation_id": "my-id-2"}),
            json!({"message": "request", "correlation_id": "my-id", "trace_id": "t"}),
        ];
        let lines: Vec<PodLine> = lines
            .map(|line| PodLine {
                pod: "acme-api-1".into(),
                line,
            })
            .into();
        assert_eq!(
            line_of(lines.clone(), "my-id").expect("a line")["trace_id"],
            "t"
        );
        assert_eq!(line_of(lines, "other"), None);
    }
}

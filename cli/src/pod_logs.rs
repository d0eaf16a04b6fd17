//! What the API containers of tenants' pods logged.

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use kube::{Api, ResourceExt as _};
use serde_json::Value;

/// Pods whose logs are read at the same time; each may be 10 MiB.
const AT_A_TIME: usize = 4;

/// A line, and the pod that wrote it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PodLine {
    pub pod: String,
    pub line: Value,
}

/// The lines with `text` in them of the pods that have `label`, as far as they are JSON; only those of
/// the last `seconds`, if given.
pub(crate) async fn lines_with(
    pods: &Api<Pod>,
    label: &str,
    seconds: Option<i64>,
    text: &str,
) -> Result<Vec<PodLine>, kube::Error> {
    let found = pods
        .list_metadata(&ListParams::default().labels(label))
        .await?;
    let params = LogParams {
        container: Some(docket_crds::names::API_CONTAINER.into()),
        since_seconds: seconds,
        ..LogParams::default()
    };
    let names = futures::stream::iter(found.into_iter().map(|pod| pod.name_any()));
    let lines = names.map(|pod| {
        let params = &params;
        async move {
            match pods.logs(&pod, params).await {
                Ok(log) => Ok(parse(&pod, &log, text)),
                // It is starting, or gone meanwhile.
                Err(kube::Error::Api(status)) if [400, 404].contains(&status.code) => {
                    Ok(Vec::new())
                }
                Err(error) => Err(error),
            }
        }
    });
    let lines: Vec<Vec<PodLine>> = lines.buffered(AT_A_TIME).try_collect().await?;
    Ok(lines.concat())
}

fn parse(pod: &str, log: &str, text: &str) -> Vec<PodLine> {
    let lines = log.lines().filter(|line| line.contains(text));
    lines
        .filter_map(|line| {
            Some(PodLine {
                pod: pod.to_owned(),
                line: serde_json::from_str(line).ok()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_name_a_text_are_told_with_their_pod() {
        let log = "no JSON my-id\n{\"a\":\"my-id\"}\n{\"a\":\"other\"}\n";
        let found = parse("acme-api-1", log, "my-id");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&*found[0].pod, &found[0].line["a"]),
            ("acme-api-1", &"my-id".into())
        );
    }
}

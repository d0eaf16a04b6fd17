//! The files in which a gateway collector keeps what it received, read where they are.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachParams, ListParams};
use kube::{Api, Client, ResourceExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::id::Id;
use super::otlp::{self, Batches};
use crate::arguments::GatewayArguments;
use crate::problem::root;

/// A search of what docket-dev keeps takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that are read at most: an id is in a few batches.
const MOST: u64 = 64 * 1024 * 1024;

pub(crate) struct Gateway<'a> {
    client: &'a Client,
    wanted: &'a GatewayArguments,
}

impl<'a> Gateway<'a> {
    pub(crate) fn new(client: &'a Client, wanted: &'a GatewayArguments) -> Self {
        Self { client, wanted }
    }

    /// All batches that name one of `ids`, as a trace or as a request; or why they cannot be read.
    pub(crate) async fn with(&self, ids: &[Id]) -> Result<Batches, String> {
        let found = tokio::time::timeout(PATIENCE, self.search(ids)).await;
        let found =
            found.unwrap_or_else(|_| Err(format!("no end of the search within {PATIENCE:?}")));
        let text = found.map_err(|why| {
            format!(
                "The gateway {}/{} cannot be asked for spans: {why}. Name one that keeps files with --gateway.",
                self.wanted.gateway.namespace, self.wanted.gateway.deployment
            )
        })?;
        Ok(otlp::read(&text))
    }

    async fn search(&self, ids: &[Id]) -> Result<String, String> {
        let pod = self.pod().await?;
        let params = AttachParams::default().container(&self.wanted.gateway_container);
        let words = command(ids, &self.wanted.gateway_folder);
        let process = self.pods().exec(&pod, words, &params).await;
        let mut process = process.map_err(|error| root(&error))?;
        let (output, errors) = (process.stdout(), process.stderr());
        let status = process.take_status();
        let (output, errors) = join(all_of(output), all_of(errors)).await;
        let ended = match status {
            Some(status) => status.await,
            None => None,
        };
        match exit_code(ended.as_ref()) {
            // grep ends with 1 where it finds nothing.
            Some(0 | 1) => output,
            _ => Err(match errors?.trim() {
                "" => "its container does not say how the search ended".to_owned(),
                errors => errors.to_owned(),
            }),
        }
    }

    async fn pod(&self) -> Result<String, String> {
        let namespace = &self.wanted.gateway.namespace;
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace);
        let deployment = deployments.get(&self.wanted.gateway.deployment).await;
        let deployment = deployment.map_err(|error| root(&error))?;
        let selector = deployment.spec.and_then(|spec| spec.selector.match_labels);
        let of_it = ListParams::default().labels(&labels(&selector.unwrap_or_default()));
        let pods = self.pods().list(&of_it).await;
        let pods = pods.map_err(|error| root(&error))?;
        let mut running = pods.iter().filter(|pod| {
            let phase = pod
                .status
                .as_ref()
                .and_then(|status| status.phase.as_deref());
            phase == Some("Running") && pod.metadata.deletion_timestamp.is_none()
        });
        let pod = running.next().ok_or("none of its pods runs")?;
        Ok(pod.name_any())
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.wanted.gateway.namespace)
    }
}

fn labels(selector: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = selector
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}

/// Batches are long: only those come here that name an id where ids are.
fn command(ids: &[Id], folder: &str) -> Vec<String> {
    let mut words: Vec<String> = ["grep", "-r", "-h", "-F", "-s", "--exclude=metrics*"]
        .map(str::to_owned)
        .into();
    for id in ids.iter().map(Id::text) {
        let trace = format!("\"traceId\":\"{id}\"");
        let request = format!("\"correlation_id\",\"value\":{{\"stringValue\":\"{id}\"}}");
        words.extend(["-e".to_owned(), trace, "-e".to_owned(), request]);
    }
    words.extend(["--".to_owned(), folder.to_owned()]);
    words
}

async fn all_of(stream: Option<impl AsyncRead + Unpin>) -> Result<String, String> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let read = stream.take(MOST + 1).read_to_end(&mut bytes).await;
        read.map_err(|error| root(&error))?;
    }
    match bytes.len() as u64 > MOST {
        true => Err(format!("more than {} MiB name the id", MOST / 1024 / 1024)),
        false => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// How a process in a container ended (the API server's channel for errors).
fn exit_code(status: Option<&Status>) -> Option<i32> {
    let status = status?;
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status
        .details
        .iter()
        .flat_map(|details| details.causes.iter().flatten());
    let mut codes = causes.filter(|cause| cause.reason.as_deref() == Some("ExitCode"));
    codes.next()?.message.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_search_names_an_id_only_where_ids_are() {
        let ids = ["a-1"].map(|id| Id::read(id).expect("an id"));
        let words = command(&ids, "/data");
        let [.., dashes, folder] = &words[..] else {
            panic!("{words:?}")
        };
        assert_eq!((&**dashes, &**folder), ("--", "/data"));
        assert!(words.contains(&r#""traceId":"a-1""#.to_owned()));
        assert!(words.contains(&r#""correlation_id","value":{"stringValue":"a-1"}"#.to_owned()));
    }

    #[test]
    fn the_end_of_a_process_is_its_exit_code_where_it_has_one() {
        let ended = |status| exit_code(serde_json::from_value(status).ok().as_ref());
        assert_eq!(ended(json!({"status": "Success"})), Some(0));
        let failed = json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [
            {"reason": "ExitCode", "message": "1"}]}});
        assert_eq!(ended(failed), Some(1));
        assert_eq!(
            ended(json!({"status": "Failure", "reason": "InternalError"})),
            None
        );
        assert_eq!(exit_code(None), None);
    }
}

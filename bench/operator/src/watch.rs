//! Follows a collection of objects.

use std::ops::ControlFlow;

use anyhow::Result;
use docket_fault_matrix::Kubernetes;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::progress;

#[derive(Deserialize)]
struct Event<T> {
    object: T,
}

#[derive(Deserialize)]
struct List<T> {
    metadata: Metadata,
    items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
}

/// Shows every change of a collection after `version` to `heed`, until that breaks. Where the API
/// server ends the watch, all objects are shown again as they are then.
///
/// # Errors
/// The API server does not answer.
pub async fn follow<T: DeserializeOwned>(
    kubernetes: &Kubernetes,
    collection: &str,
    version: &str,
    mut heed: impl FnMut(T) -> ControlFlow<()>,
) -> Result<()> {
    let mut version = version.to_owned();
    while follow_one(kubernetes, collection, &version, &mut heed)
        .await?
        .is_continue()
    {
        progress(&format!("the watch of {collection} ended, and begins anew"));
        let answer = kubernetes.request(Method::GET, collection).send().await?;
        let text = answer.error_for_status()?.text().await?;
        let list: List<T> = serde_json::from_str(&text)?;
        if list.items.into_iter().any(|item| heed(item).is_break()) {
            return Ok(());
        }
        version = list.metadata.resource_version;
    }
    Ok(())
}

/// Until `heed` breaks, or the watch ends.
async fn follow_one<T: DeserializeOwned>(
    kubernetes: &Kubernetes,
    collection: &str,
    version: &str,
    heed: &mut impl FnMut(T) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    let path = format!("{collection}?watch=true&resourceVersion={version}&timeoutSeconds=7200");
    let answer = kubernetes.request(Method::GET, &path).send().await?;
    let mut answer = answer.error_for_status()?;
    let mut read: Vec<u8> = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        read.extend_from_slice(&chunk);
        let mut begin = 0;
        while let Some(length) = read[begin..].iter().position(|byte| *byte == b'\n') {
            let event: Event<T> = serde_json::from_slice(&read[begin..begin + length])?;
            begin += length + 1;
            if heed(event.object).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        read.drain(..begin);
    }
    Ok(ControlFlow::Continue(()))
}

//! Follows a collection of objects.

use std::ops::ControlFlow;

use anyhow::{Result, bail};
use docket_matrix::Kubernetes;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Event<T> {
    object: T,
}

/// Shows every change of a collection after `version` to `heed`, until that breaks.
///
/// # Errors
/// The watch ends before.
pub async fn follow<T: DeserializeOwned>(
    kubernetes: &Kubernetes,
    collection: &str,
    version: &str,
    mut heed: impl FnMut(T) -> ControlFlow<()>,
) -> Result<()> {
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
                return Ok(());
            }
        }
        read.drain(..begin);
    }
    bail!("the watch of {collection} ended")
}

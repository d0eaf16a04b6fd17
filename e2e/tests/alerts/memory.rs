use std::convert::Infallible;

use anyhow::Result;
use docket_crds::DocumentTenant;
use docket_e2e::on_call::{WARNING, begins, ends};
use docket_e2e::scenario::{TENANT, scenario};
use docket_e2e::wait::until;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method};
use serde_json::{Value, json};

use crate::watch::Watch;

const MEMORY: &str = "DocketMemoryHigh";

/// Little more than a server needs that nobody asks, and less than a part of an upload beside it.
const LITTLE: &str = "18Mi";

/// Bytes that an upload brings at once.
const PIECE: usize = 128 * 1024;

fn limit(memory: &str) -> Value {
    let memory = json!({"memory": memory});
    json!({"requests": memory, "limits": memory})
}

fn form(content: UnboundedReceiver<Result<Vec<u8>, Infallible>>) -> Form {
    let part = Part::stream(Body::wrap_stream(content)).file_name("slow.bin");
    Form::new().part("file", part)
}

#[tokio::test]
async fn a_pod_with_little_memory_is_told_while_a_slow_upload_fills_it() {
    scenario(async |it| {
        let mut spec = it.small_spec(&["globex"]);
        spec["api"]["resources"] = limit(LITTLE);
        it.ready(spec).await?;
        let documents = it.documents("globex").await?;
        let mut watch = Watch::of(it).await?;
        let (sender, content) = unbounded();
        let bring = |bytes: usize| sender.unbounded_send(Ok(vec![b'x'; bytes]));
        let upload = documents.request(Method::PUT, "upload-document");
        let upload = tokio::spawn(upload.multipart(form(content)).send());

        until("a pod that is short of memory", async || {
            let used = documents.gauge("memory_working_set_bytes").await?;
            let share = used / documents.gauge("memory_limit_bytes").await?;
            if share < 0.87 {
                bring(PIECE)?;
            }
            Ok((share >= 0.87).then_some(()).ok_or(share))
        })
        .await?;
        // The caller of a slow line, who must not be silent.
        watch
            .told_while(&[begins(MEMORY, WARNING)], async || Ok(bring(1)?))
            .await?;

        upload.abort();
        let more = json!({"spec": {"api": {"resources": limit("256Mi")}}});
        it.objects.merge::<DocumentTenant>(TENANT, more).await?;
        watch.told(&[ends(MEMORY, WARNING)]).await
    })
    .await;
}

//! SIGKILL for a container's processes, as when a machine runs out of memory.

use std::process::Command;

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Pod;

use crate::node;
use crate::objects::Objects;
use crate::wait::until;

/// Kills all processes of the container `container` of `pod` and waits until the kubelet has started
/// it again and finds it ready; what the pod keeps in volumes stays.
///
/// Nothing inside a container can kill its first process, so this is done from outside, as all of [`node`].
///
/// # Errors
/// Its processes are not on this machine, or it does not come back.
pub async fn kill_container(objects: &Objects, pod: &str, container: &str) -> Result<()> {
    let (id, restarts, _) = state(&objects.get(pod).await?, container)?;
    let processes = node::processes(&id)?;
    let what = format!("container {container} of pod {pod}");
    ensure!(
        !processes.is_empty(),
        "the {what} does not run on this machine"
    );
    // Some end by themselves when the first of them is gone.
    Command::new("kill")
        .arg("-KILL")
        .args(&processes)
        .output()?;
    until(&format!("the return of {what}"), async || {
        let (_, now, ready) = state(&objects.get(pod).await?, container)?;
        Ok(if ready && now > restarts {
            Ok(())
        } else {
            Err(format!("{now} restarts, ready: {ready}"))
        })
    })
    .await
}

/// The container's id, how often it was started again, and whether it is ready.
fn state(pod: &Pod, container: &str) -> Result<(String, i32, bool)> {
    let status = node::status(pod, container)?;
    Ok((node::id(status)?, status.restart_count, status.ready))
}

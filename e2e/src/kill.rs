//! SIGKILL for a container's processes, as when a machine runs out of memory.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use crate::objects::Objects;
use crate::wait::until;

/// Kills all processes of the container `container` of `pod` and waits until the kubelet has started
/// it again and finds it ready; what the pod keeps in volumes stays.
///
/// Nothing inside a container can kill its first process, so this is done from outside: the cluster's
/// node must run on this machine, as the bare one and kind's do.
///
/// # Errors
/// Its processes are not on this machine, or it does not come back.
pub async fn kill_container(objects: &Objects, pod: &str, container: &str) -> Result<()> {
    let (id, restarts, _) = state(&objects.get(pod).await?, container)?;
    let processes = processes(&id)?;
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
    let statuses = pod.status.iter().flat_map(|it| &it.container_statuses);
    let mut statuses = statuses.flatten();
    let found = statuses.find(|it| it.name == container);
    let found = found.with_context(|| format!("{} has no {container}", pod.name_any()))?;
    let id = found.container_id.as_deref().unwrap_or_default();
    let id = id.rsplit('/').next().unwrap_or_default().to_owned();
    Ok((id, found.restart_count, found.ready))
}

/// The ids, on this machine, of the processes whose cgroup is named after the container `id`.
fn processes(id: &str) -> Result<Vec<String>> {
    ensure!(!id.is_empty(), "the container has not started");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let process = entry?.file_name().to_string_lossy().into_owned();
        // What is no process has none, and one may have ended meanwhile.
        let cgroup = std::fs::read_to_string(format!("/proc/{process}/cgroup"));
        if process.parse::<u32>().is_ok() && cgroup.is_ok_and(|cgroup| cgroup.contains(id)) {
            found.push(process);
        }
    }
    Ok(found)
}

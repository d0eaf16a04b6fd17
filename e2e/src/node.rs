//! The containers' processes and cgroups as the node sees them.
//!
//! The cluster's node must run on this machine, as the bare one and kind's do.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;

/// Both versions of cgroups: where memory is counted, and the file with the limit.
const LIMITS: [(&str, &str); 2] = [
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
    ("/sys/fs/cgroup", "memory.max"),
];

/// Lets the container `container` of `pod` have `bytes` of memory, whatever its spec says, until it starts
/// again.
///
/// # Errors
/// Its processes are not on this machine, or it uses more.
pub fn limit_memory(pod: &Pod, container: &str, bytes: u64) -> Result<()> {
    let id = id(status(pod, container)?)?;
    let process = processes(&id)?.into_iter().next();
    let process = process.with_context(|| format!("{container} does not run on this machine"))?;
    let limit = limit_file(&fs::read_to_string(format!("/proc/{process}/cgroup"))?)?;
    fs::write(&limit, bytes.to_string()).with_context(|| limit.display().to_string())
}

/// Of a process with these lines in `/proc/<id>/cgroup`.
fn limit_file(cgroups: &str) -> Result<PathBuf> {
    let paths = cgroups.lines().filter_map(|line| {
        let (_, named) = line.split_once(':')?;
        let (controllers, path) = named.split_once(':')?;
        let mut controllers = controllers.split(',');
        controllers
            .any(|it| it == "memory" || it.is_empty())
            .then_some(path)
    });
    let mut files = paths
        .flat_map(|path| LIMITS.map(|(root, file)| PathBuf::from(format!("{root}{path}/{file}"))));
    files
        .find(|file| file.exists())
        .context("no limit of memory")
}

/// What the kubelet says of the container `name` of `pod`.
pub(crate) fn status<'a>(pod: &'a Pod, name: &str) -> Result<&'a ContainerStatus> {
    let statuses = pod.status.iter().flat_map(|it| &it.container_statuses);
    let found = statuses.flatten().find(|it| it.name == name);
    found.with_context(|| format!("{} has no {name}", pod.name_any()))
}

/// The id that the container's cgroup is named after.
pub(crate) fn id(status: &ContainerStatus) -> Result<String> {
    let id = status.container_id.as_deref().unwrap_or_default();
    let id = id.rsplit('/').next().unwrap_or_default();
    ensure!(!id.is_empty(), "the container has not started");
    Ok(id.to_owned())
}

/// The ids, on this machine, of the processes whose cgroup is named after the container `id`.
pub(crate) fn processes(id: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let process = entry?.file_name().to_string_lossy().into_owned();
        // What is no process has none, and one may have ended meanwhile.
        let cgroup = fs::read_to_string(format!("/proc/{process}/cgroup"));
        if process.parse::<u32>().is_ok() && cgroup.is_ok_and(|cgroup| cgroup.contains(id)) {
            found.push(process);
        }
    }
    Ok(found)
}

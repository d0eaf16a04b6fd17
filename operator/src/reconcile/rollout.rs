//! How far the pods are: read from the Deployment, explained by its pods.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;

/// Characters of a container's last words that a sentence has room for.
const LONGEST_WORDS: usize = 400;

/// How many pods there are, against how many are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rollout {
    /// Pods that are wanted.
    pub wanted: i32,
    /// Pods of the current template that serve.
    pub ready: i32,
    /// Pods of any template that serve.
    pub serving: i32,
    complete: bool,
}

impl Rollout {
    /// What the Deployment says; its status counts only when it speaks of the current spec.
    pub(super) fn of(deployment: &Deployment) -> Self {
        let wanted = deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.replicas)
            .unwrap_or(1);
        let status = deployment.status.clone().unwrap_or_default();
        let serving = status.available_replicas.unwrap_or_default();
        let current = status.observed_generation == deployment.metadata.generation;
        let updated = if current {
            status.updated_replicas.unwrap_or_default()
        } else {
            0
        };
        let outdated = status.replicas.unwrap_or_default() - updated;
        // Which of the serving pods are of the current template is not told: take the fewest.
        let ready = (serving - outdated).clamp(0, updated);
        Self {
            wanted,
            ready,
            serving,
            complete: current && updated == wanted && outdated == 0 && serving == wanted,
        }
    }

    /// All pods are of the current template and serve.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

/// Why a pod does not get ready, in the words of the kubelet; `None` while it is merely starting.
pub(super) fn trouble(pods: &[std::sync::Arc<Pod>]) -> Option<String> {
    pods.iter()
        .find_map(|pod| Some(format!("pod {}: {}", pod.name_any(), trouble_of(pod)?)))
}

fn trouble_of(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let containers = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses)
        .flatten();
    if let Some(text) = containers.into_iter().find_map(waiting) {
        return Some(text);
    }
    status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.reason.as_deref() == Some("Unschedulable"))
        .map(|condition| {
            format!(
                "unschedulable: {}",
                condition.message.as_deref().unwrap_or_default()
            )
        })
}

fn waiting(container: &ContainerStatus) -> Option<String> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if matches!(reason, "ContainerCreating" | "PodInitializing") {
        return None;
    }
    let message = waiting.message.as_deref().unwrap_or_default();
    Some(
        format!("container {}: {reason} {message}", container.name)
            .trim_end()
            .to_owned(),
    )
}

/// Why the container `name` of a pod ended by itself and is not running again, in its own words.
pub(super) fn last_words(pods: &[std::sync::Arc<Pod>], name: &str) -> Option<String> {
    pods.iter().find_map(|pod| {
        let status = pod.status.as_ref()?;
        let mut containers = status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses)
            .flatten();
        let words = last_words_of(containers.find(|container| container.name == name)?)?;
        Some(format!("pod {}: {words}", pod.name_any()))
    })
}

fn last_words_of(container: &ContainerStatus) -> Option<String> {
    let now = container.state.as_ref()?;
    let before = container.last_state.as_ref();
    if now.running.is_some() && container.ready {
        return None;
    }
    let ended = now
        .terminated
        .as_ref()
        .or(before.and_then(|before| before.terminated.as_ref()))
        .filter(|ended| ended.exit_code != 0)?;
    let said = ended.message.as_deref().unwrap_or_default();
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    let why = last.or(ended.reason.as_deref()).unwrap_or_default();
    let why: String = why.chars().take(LONGEST_WORDS).collect();
    Some(format!("exit code {}: {why}", ended.exit_code))
}

/// Whether the container `name` of every pod is ready.
pub(super) fn all_ready(pods: &[std::sync::Arc<Pod>], name: &str) -> bool {
    !pods.is_empty()
        && pods.iter().all(|pod| {
            let statuses = pod.status.iter().flat_map(|status| {
                status
                    .init_container_statuses
                    .iter()
                    .chain(&status.container_statuses)
                    .flatten()
            });
            statuses
                .into_iter()
                .any(|container| container.name == name && container.ready)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rollout(observed: i64, replicas: i32, updated: i32, available: i32) -> Rollout {
        let deployment = serde_json::from_value(json!({
            "metadata": {"generation": 2},
            "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": {"observedGeneration": observed, "replicas": replicas,
                "updatedReplicas": updated, "availableReplicas": available},
        }))
        .expect("a Deployment");
        Rollout::of(&deployment)
    }

    #[test]
    fn a_rollout_is_complete_when_all_pods_are_new_and_serve() {
        assert!(rollout(2, 2, 2, 2).is_complete());
        assert!(
            !rollout(1, 2, 2, 2).is_complete(),
            "the status is of the spec before"
        );
        assert!(!rollout(2, 3, 2, 3).is_complete(), "an old pod is left");
        assert!(!rollout(2, 2, 2, 1).is_complete(), "a pod does not serve");
    }

    #[test]
    fn old_pods_that_serve_do_not_count_as_ready() {
        let half = rollout(2, 3, 1, 2);
        assert_eq!((half.serving, half.ready), (2, 0));
    }

    #[test]
    fn a_pod_that_cannot_start_says_why() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "acme-api-1"},
            "status": {"containerStatuses": [{"name": "api", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]},
        }))
        .expect("a Pod");
        let told = trouble(&[pod.into()]);
        assert_eq!(
            told.as_deref(),
            Some("pod acme-api-1: container api: ImagePullBackOff no such image")
        );
    }

    fn pod(collector: serde_json::Value) -> std::sync::Arc<Pod> {
        let mut status = json!({"name": "collector", "image": "x", "imageID": "", "ready": false, "restartCount": 3});
        for (key, value) in collector.as_object().expect("fields") {
            status[key] = value.clone();
        }
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "acme-api-1"}, "status": {"initContainerStatuses": [status]},
        }))
        .expect("a Pod");
        pod.into()
    }

    #[test]
    fn a_container_that_ends_again_and_again_is_quoted_with_its_last_line() {
        let ended = |message: &str| json!({"terminated": {"exitCode": 1, "reason": "Error", "message": message}});
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let told = |state: &serde_json::Value, before: serde_json::Value| {
            last_words(
                &[pod(json!({"state": state, "lastState": before}))],
                "collector",
            )
        };
        assert_eq!(
            told(&waiting, ended("first\nno such certificate\n")).as_deref(),
            Some("pod acme-api-1: exit code 1: no such certificate")
        );
        assert_eq!(
            told(&ended(""), json!({})).as_deref(),
            Some("pod acme-api-1: exit code 1: Error")
        );
        assert_eq!(told(&waiting, json!({})), None, "it has not said anything");
        let running = json!({"state": {"running": {}}, "ready": true, "lastState": ended("old")});
        assert_eq!(
            last_words(&[pod(running)], "collector"),
            None,
            "it runs again"
        );
    }
}

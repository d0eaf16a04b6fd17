//! The pods of components, by tenant: what conditions say of them, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use docket_crds::labels;
use docket_crds::names::COLLECTOR_CONTAINER;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::monitoring::targets::Endpoint;

/// Characters of a container's last words that a sentence has room for.
const LONGEST_WORDS: usize = 400;

/// What is kept of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedPod {
    /// It is on its way out.
    pub ending: bool,
    /// Its collector is ready.
    pub has_collector: bool,
    /// Why its collector ended by itself and is not running again, in its own words.
    pub last_words: Option<String>,
    /// Why it does not get ready, in the words of the kubelet; `None` while it is merely starting.
    pub trouble: Option<String>,
    /// Where its metrics are, while it runs.
    pub endpoint: Option<Endpoint>,
}

impl ObservedPod {
    fn of(pod: &Pod) -> Self {
        let collector = containers(pod).find(|it| it.name == COLLECTOR_CONTAINER);
        let said = |words: String| format!("pod {}: {words}", pod.name_any());
        Self {
            ending: pod.metadata.deletion_timestamp.is_some(),
            has_collector: collector.is_some_and(|it| it.ready),
            last_words: collector.and_then(last_words_of).map(said),
            trouble: trouble_of(pod).map(said),
            endpoint: Endpoint::of(pod),
        }
    }
}

/// Namespace and name of a tenant.
pub type Owner = (String, String);
/// Pods by name, in this order: as few as a tenant has take least as a list.
type OfOwner = Vec<(String, ObservedPod)>;
type ByOwner = HashMap<Owner, OfOwner>;

/// What a watch has brought so far, shared by those who feed and read it.
#[derive(Clone, Debug)]
pub struct Pods {
    known: Arc<Mutex<CachedPods>>,
    filled: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct CachedPods {
    pods: ByOwner,
    /// What a new list has brought until it is whole.
    coming: Option<ByOwner>,
}

impl Default for Pods {
    fn default() -> Self {
        Self {
            known: Arc::default(),
            filled: watch::Sender::new(false),
        }
    }
}

impl Pods {
    fn known(&self) -> MutexGuard<'_, CachedPods> {
        self.known.lock()
    }

    /// Takes in what the watch brings.
    pub fn take(&self, event: &Event<Pod>) {
        let mut known = self.known();
        match event {
            Event::Init => known.coming = Some(ByOwner::default()),
            Event::InitApply(pod) => insert(known.coming.get_or_insert_default(), pod),
            Event::InitDone => {
                known.pods = known.coming.take().unwrap_or_default();
                self.filled.send_replace(true);
            }
            Event::Apply(pod) => insert(&mut known.pods, pod),
            Event::Delete(pod) => remove(&mut known.pods, pod),
        }
    }

    /// The pods of the tenant `name` in `namespace`.
    #[must_use]
    pub fn of(&self, namespace: &str, name: &str) -> Vec<ObservedPod> {
        let owner = (namespace.to_owned(), name.to_owned());
        let known = self.known();
        let pods = known.pods.get(&owner).into_iter().flatten();
        pods.map(|(_, pod)| pod.clone()).collect()
    }

    /// Namespace and name of the tenant, name of the pod and its endpoint, of all that run, in this order.
    #[must_use]
    pub fn endpoints(&self) -> Vec<(Owner, String, Endpoint)> {
        let known = self.known();
        let pods = known.pods.iter().flat_map(|(owner, pods)| {
            pods.iter().filter_map(|(name, pod)| {
                Some((owner.clone(), name.clone(), pod.endpoint.clone()?))
            })
        });
        let mut endpoints: Vec<_> = pods.collect();
        endpoints.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        endpoints
    }

    /// Returns once the watch has brought all there are.
    pub async fn wait_until_filled(&self) {
        // The sender is ours: it does not go before we do.
        let _ = self.filled.subscribe().wait_for(|filled| *filled).await;
    }
}

/// The tenant that `pod` belongs to.
pub(crate) fn owner(pod: &Pod) -> Option<Owner> {
    let name = pod.labels().get(labels::TENANT)?;
    Some((pod.namespace()?, name.clone()))
}

fn insert(pods: &mut ByOwner, pod: &Pod) {
    if let Some(owner) = owner(pod) {
        let pods = pods.entry(owner).or_default();
        let (name, seen) = (pod.name_any(), ObservedPod::of(pod));
        match place(pods, &name) {
            Ok(at) => pods[at].1 = seen,
            Err(at) => {
                pods.reserve_exact(1);
                pods.insert(at, (name, seen));
            }
        }
    }
}

fn remove(pods: &mut ByOwner, pod: &Pod) {
    let Some(owner) = owner(pod) else { return };
    if let Some(of_owner) = pods.get_mut(&owner) {
        if let Ok(at) = place(of_owner, &pod.name_any()) {
            of_owner.remove(at);
        }
        if of_owner.is_empty() {
            pods.remove(&owner);
        }
    }
}

/// Where the pod `name` is among `pods`, or would be.
fn place(pods: &OfOwner, name: &str) -> Result<usize, usize> {
    pods.binary_search_by(|(known, _)| known.as_str().cmp(name))
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.iter().flat_map(|status| {
        let init = status.init_container_statuses.iter();
        init.chain(&status.container_statuses).flatten()
    })
}

fn trouble_of(pod: &Pod) -> Option<String> {
    if let Some(text) = containers(pod).find_map(waiting) {
        return Some(text);
    }
    let status = pod.status.as_ref()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(name: &str, tenant: &str, status: Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "acme", "labels": {labels::TENANT: tenant}},
            "status": status,
        }))
        .expect("a Pod")
    }

    #[test]
    fn a_pod_that_cannot_start_says_why() {
        let status = json!({"containerStatuses": [{"name": "api", "image": "x", "imageID": "",
            "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]});
        let seen = ObservedPod::of(&pod("acme-api-1", "acme", status));
        assert_eq!(
            seen.trouble.as_deref(),
            Some("pod acme-api-1: container api: ImagePullBackOff no such image")
        );
    }

    #[test]
    fn a_container_that_ends_again_and_again_is_quoted_with_its_last_line() {
        let ended = |message: &str| json!({"terminated": {"exitCode": 1, "reason": "Error", "message": message}});
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let seen = |state: &Value, before: Value, ready: bool| {
            let status = json!({"initContainerStatuses": [{"name": "collector", "image": "x", "imageID": "",
                "ready": ready, "restartCount": 3, "state": state, "lastState": before}]});
            ObservedPod::of(&pod("acme-api-1", "acme", status))
        };
        let told = |state: &Value, before: Value| seen(state, before, false).last_words;
        assert_eq!(
            told(&waiting, ended("first\nno such certificate\n")).as_deref(),
            Some("pod acme-api-1: exit code 1: no such certificate")
        );
        assert_eq!(
            told(&ended(""), json!({})).as_deref(),
            Some("pod acme-api-1: exit code 1: Error")
        );
        assert_eq!(told(&waiting, json!({})), None, "it has not said anything");
        let again = seen(&json!({"running": {}}), ended("old"), true);
        assert_eq!(again.last_words, None, "it runs again");
    }

    #[test]
    fn each_tenant_has_its_own_pods_until_they_are_gone() {
        let pods = Pods::default();
        let (one, other) = (pod("a", "acme", json!({})), pod("b", "other", json!({})));
        pods.take(&Event::Apply(one.clone()));
        pods.take(&Event::Apply(other));
        assert_eq!(pods.of("acme", "acme").len(), 1);
        pods.take(&Event::Delete(one));
        assert_eq!(pods.of("acme", "acme"), []);
        assert_eq!(pods.of("acme", "other").len(), 1);
    }

    #[test]
    fn a_pod_is_known_once_and_pods_come_in_the_order_of_their_names() {
        let pods = Pods::default();
        for name in ["b", "a", "c", "a"] {
            let waiting = json!({"conditions": [{"type": "PodScheduled", "status": "False",
                "reason": "Unschedulable"}]});
            pods.take(&Event::Apply(pod(name, "acme", waiting)));
        }
        pods.take(&Event::Delete(pod("b", "acme", json!({}))));
        let told: Vec<_> = pods
            .of("acme", "acme")
            .into_iter()
            .map(|pod| pod.trouble)
            .collect();
        let of = |name: &str| Some(format!("pod {name}: unschedulable: "));
        assert_eq!(told, [of("a"), of("c")]);
    }

    #[test]
    fn a_new_list_takes_the_place_of_the_old_one_when_it_is_whole() {
        let pods = Pods::default();
        pods.take(&Event::Apply(pod("a", "acme", json!({}))));
        pods.take(&Event::Init);
        pods.take(&Event::InitApply(pod("b", "other", json!({}))));
        assert_eq!(pods.of("acme", "acme").len(), 1);
        pods.take(&Event::InitDone);
        assert_eq!(pods.of("acme", "acme"), []);
        assert_eq!(pods.of("acme", "other").len(), 1);
    }
}

//! How far the pods of each component are: read from its Deployment, explained by the pods.

use std::iter::Sum;

use docket_crds::labels;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;

use crate::cache::pods::ObservedPod;

/// How many pods of one component there are, against how many are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rollout {
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
    pub(crate) fn of(deployment: &Deployment) -> Self {
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

    /// The component whose Deployment this is, and how far it is.
    pub(crate) fn of_component(deployment: &Deployment) -> (String, Self) {
        let component = deployment.labels().get(labels::COMPONENT).cloned();
        (component.unwrap_or_default(), Self::of(deployment))
    }

    /// All pods are of the current template and serve.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }
}

impl Sum for Rollout {
    /// How far all are together; of none, nothing is left to come.
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let none = Self {
            wanted: 0,
            ready: 0,
            serving: 0,
            complete: true,
        };
        all.fold(none, |sum, one| Self {
            wanted: sum.wanted + one.wanted,
            ready: sum.ready + one.ready,
            serving: sum.serving + one.serving,
            complete: sum.complete && one.complete,
        })
    }
}

/// How far the pods of each component of a tenant are, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rollouts(Vec<(String, Rollout)>);

impl FromIterator<(String, Rollout)> for Rollouts {
    fn from_iter<I: IntoIterator<Item = (String, Rollout)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Rollouts {
    /// How far the component is that answers the clients.
    pub(crate) fn api(&self) -> Rollout {
        let api = self.0.iter().filter(|(name, _)| name == labels::API);
        api.map(|(_, rollout)| *rollout).sum()
    }

    /// The components beside it whose pods are not all of the current template, or do not all run.
    pub(crate) fn others_under_way(&self) -> impl Iterator<Item = (&str, Rollout)> {
        let others = self.0.iter().filter(|(name, _)| name != labels::API);
        others
            .filter(|(_, rollout)| !rollout.is_complete())
            .map(|(name, rollout)| (&**name, *rollout))
    }

    /// All pods of all components are of their current template and serve.
    pub(crate) fn is_complete(&self) -> bool {
        self.0.iter().all(|(_, rollout)| rollout.is_complete())
    }
}

/// Why a pod does not get ready, in the words of the kubelet; `None` while all are merely starting.
pub(crate) fn trouble(pods: &[ObservedPod]) -> Option<&str> {
    pods.iter().find_map(|pod| pod.trouble.as_deref())
}

/// Why the collector of a pod ended by itself and is not running again, in its own words.
pub(crate) fn last_words(pods: &[ObservedPod]) -> Option<&str> {
    pods.iter().find_map(|pod| pod.last_words.as_deref())
}

/// Whether every pod has a collector that is ready.
pub(crate) fn all_collect(pods: &[ObservedPod]) -> bool {
    !pods.is_empty() && pods.iter().all(|pod| pod.has_collector)
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
    fn several_are_complete_when_each_of_them_is() {
        let both = |first, second| [first, second].into_iter().sum::<Rollout>();
        let (done, begun) = (rollout(2, 2, 2, 2), rollout(2, 3, 1, 2));
        assert!(both(done, done).is_complete());
        let half = both(done, begun);
        assert!(!half.is_complete());
        assert_eq!((half.wanted, half.serving, half.ready), (4, 4, 2));
    }

    #[test]
    fn old_pods_that_serve_do_not_count_as_ready() {
        let half = rollout(2, 3, 1, 2);
        assert_eq!((half.serving, half.ready), (2, 0));
    }
}

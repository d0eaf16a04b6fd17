//! What the operator keeps of the cluster in memory, fed by watches.

use futures::future::{BoxFuture, join_all};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use tokio::sync::watch;

use crate::cache::child::Child;
use crate::cache::object_cache::ObjectCache;
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::pods::Pods;
use crate::foreign::gateway_api::HttpRoute;
use crate::foreign::prometheus_operator::{PodMonitor, PrometheusRule};

/// The children of all tenants: objects that carry the label of [`docket_crds::labels::MANAGED_BY`].
#[derive(Clone, Debug, Default)]
pub struct Caches {
    /// Credentials, API keys and configurations.
    pub secrets: ObjectCache<Secret>,
    /// Configurations of collectors.
    pub config_maps: ObjectCache<ConfigMap>,
    /// Services of components.
    pub services: ObjectCache<Service>,
    /// Identities of pods.
    pub service_accounts: ObjectCache<ServiceAccount>,
    /// Limits to voluntary evictions.
    pub disruption_budgets: ObjectCache<PodDisruptionBudget>,
    /// Who may talk to the pods.
    pub network_policies: ObjectCache<NetworkPolicy>,
    /// Ways in from outside the cluster.
    pub ingresses: ObjectCache<Ingress>,
    /// The same through Gateways.
    pub http_routes: ObjectCache<HttpRoute>,
    /// What the Prometheus operator lets Prometheus evaluate.
    pub prometheus_rules: ObjectCache<PrometheusRule>,
    /// The pods that it lets Prometheus scrape.
    pub pod_monitors: ObjectCache<PodMonitor>,
    /// Who chooses how many pods there are.
    pub autoscalers: ObjectCache<HorizontalPodAutoscaler>,
    /// The Deployments of components.
    pub deployments: ObjectCache<Deployment>,
    /// Their pods.
    pub pods: Pods,
}

/// Whether the caches hold what the cluster held at the start.
pub type Filled = watch::Receiver<bool>;

impl Caches {
    /// Tells many when every store is filled; those of `optional` kinds, if there are such.
    #[must_use]
    pub fn filled(&self, optional: OptionalKinds) -> Filled {
        let (tell, filled) = watch::channel(false);
        let caches = self.clone();
        tokio::spawn(async move {
            caches.wait_until_filled(optional).await;
            tell.send_replace(true);
        });
        filled
    }

    async fn wait_until_filled(&self, optional: OptionalKinds) {
        struct Waits {
            optional: OptionalKinds,
            each: Vec<BoxFuture<'static, ()>>,
        }
        impl EachKind for Waits {
            fn kind<K: Child>(mut self, kept: &ObjectCache<K>) -> Self {
                let (kept, presence) = (kept.clone(), K::presence(&self.optional).cloned());
                self.each.push(Box::pin(async move {
                    let there = match presence {
                        Some(presence) => presence.known().await,
                        None => true,
                    };
                    if there {
                        kept.wait_until_filled().await;
                    }
                }));
                self
            }
        }
        let waits = self.each_kind(Waits {
            optional,
            each: Vec::new(),
        });
        join_all(waits.each).await;
        self.pods.wait_until_filled().await;
    }

    /// Goes through every kind of child.
    pub(crate) fn each_kind<E: EachKind>(&self, each: E) -> E {
        let Self {
            secrets,
            config_maps,
            services,
            service_accounts,
            disruption_budgets,
            network_policies,
            ingresses,
            http_routes,
            prometheus_rules,
            pod_monitors,
            autoscalers,
            deployments,
            pods: _,
        } = self;
        each.kind(secrets)
            .kind(config_maps)
            .kind(services)
            .kind(service_accounts)
            .kind(disruption_budgets)
            .kind(network_policies)
            .kind(ingresses)
            .kind(http_routes)
            .kind(prometheus_rules)
            .kind(pod_monitors)
            .kind(autoscalers)
            .kind(deployments)
    }
}

/// What is done with each kind of child.
pub(crate) trait EachKind: Sized {
    /// Deals with the kind `K`, whose objects are in `kept`.
    #[must_use]
    fn kind<K: Child>(self, kept: &ObjectCache<K>) -> Self;
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::runtime::watcher::Event;

    #[tokio::test]
    async fn all_who_wait_are_told_when_the_stores_are_filled() {
        let caches = Caches::default();
        let filled = caches.filled(OptionalKinds::none());
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let mut filled = filled.clone();
                tokio::spawn(async move { filled.wait_for(|filled| *filled).await.is_ok() })
            })
            .collect();
        caches.secrets.take(&Event::InitDone);
        caches.config_maps.take(&Event::InitDone);
        caches.services.take(&Event::InitDone);
        caches.service_accounts.take(&Event::InitDone);
        caches.disruption_budgets.take(&Event::InitDone);
        caches.network_policies.take(&Event::InitDone);
        caches.deployments.take(&Event::InitDone);
        tokio::task::yield_now().await;
        caches.ingresses.take(&Event::InitDone);
        caches.autoscalers.take(&Event::InitDone);
        tokio::task::yield_now().await;
        assert!(!*filled.borrow());
        caches.pods.take(&Event::InitDone);
        for waiter in waiters {
            assert!(waiter.await.expect("no panic"));
        }
    }
}

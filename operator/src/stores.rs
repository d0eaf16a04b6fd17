//! What the operator keeps of the cluster in memory, fed by watches.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::runtime::reflector::Store;
use kube::runtime::reflector::store::WriterDropped;
use tokio::sync::watch;

use crate::gateway_api::HttpRoute;
use crate::gateway_presence::GatewayPresence;

/// The children of all tenants: objects that carry the label of [`crate::build::MANAGED_BY`].
#[derive(Clone)]
pub struct Stores {
    /// Credentials, API keys and configurations.
    pub secrets: Store<Secret>,
    /// Configurations of collectors.
    pub config_maps: Store<ConfigMap>,
    /// Services of document APIs.
    pub services: Store<Service>,
    /// Identities of pods.
    pub service_accounts: Store<ServiceAccount>,
    /// Limits to voluntary evictions.
    pub disruption_budgets: Store<PodDisruptionBudget>,
    /// Who may talk to the pods.
    pub network_policies: Store<NetworkPolicy>,
    /// Ways in from outside the cluster.
    pub ingresses: Store<Ingress>,
    /// The same through Gateways.
    pub http_routes: Store<HttpRoute>,
    /// Who chooses how many pods there are.
    pub autoscalers: Store<HorizontalPodAutoscaler>,
    /// The document APIs.
    pub deployments: Store<Deployment>,
    /// Pods of document APIs, trimmed to what conditions need.
    pub pods: Store<Pod>,
}

/// Whether the stores hold what the cluster held at the start.
pub type Filled = watch::Receiver<bool>;

impl Stores {
    /// Tells many when every store is filled; that of HTTPRoutes, if there is a Gateway API.
    ///
    /// A kube store wakes only the last of those who wait for it, so exactly one task may wait.
    #[must_use]
    pub fn filled(&self, gateway: GatewayPresence) -> Filled {
        let (tell, filled) = watch::channel(false);
        let stores = self.clone();
        tokio::spawn(async move {
            // An error means that a watch has ended, and with it the operator.
            if stores.wait_until_filled(gateway).await.is_ok() {
                tell.send_replace(true);
            }
        });
        filled
    }

    async fn wait_until_filled(&self, mut gateway: GatewayPresence) -> Result<(), WriterDropped> {
        let Self {
            secrets,
            config_maps,
            services,
            service_accounts,
            disruption_budgets,
            network_policies,
            ingresses,
            http_routes,
            autoscalers,
            deployments,
            pods,
        } = self;
        secrets.wait_until_ready().await?;
        config_maps.wait_until_ready().await?;
        services.wait_until_ready().await?;
        service_accounts.wait_until_ready().await?;
        disruption_budgets.wait_until_ready().await?;
        network_policies.wait_until_ready().await?;
        ingresses.wait_until_ready().await?;
        autoscalers.wait_until_ready().await?;
        if gateway.known().await == Some(true) {
            http_routes.wait_until_ready().await?;
        }
        deployments.wait_until_ready().await?;
        pods.wait_until_ready().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::runtime::reflector::store;
    use kube::runtime::reflector::store::Writer;
    use kube::runtime::watcher::Event;

    fn fill<K>(mut writer: Writer<K>)
    where
        K: kube::runtime::reflector::Lookup<DynamicType = ()> + Clone + 'static,
    {
        writer.apply_watcher_event(&Event::Init);
        writer.apply_watcher_event(&Event::InitDone);
    }

    #[tokio::test]
    async fn all_who_wait_are_told_when_the_stores_are_filled() {
        let (secrets, secret_writer) = store();
        let (config_maps, config_map_writer) = store();
        let (services, service_writer) = store();
        let (service_accounts, service_account_writer) = store();
        let (disruption_budgets, disruption_budget_writer) = store();
        let (network_policies, network_policy_writer) = store();
        let (ingresses, ingress_writer) = store();
        let (autoscalers, autoscaler_writer) = store();
        let (deployments, deployment_writer) = store();
        let (pods, pod_writer) = store();
        let filled = Stores {
            secrets,
            config_maps,
            services,
            service_accounts,
            disruption_budgets,
            network_policies,
            ingresses,
            http_routes: store().0,
            autoscalers,
            deployments,
            pods,
        }
        .filled(GatewayPresence::settled(false));
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let mut filled = filled.clone();
                tokio::spawn(async move { filled.wait_for(|filled| *filled).await.is_ok() })
            })
            .collect();
        tokio::task::yield_now().await;
        fill(secret_writer);
        fill(config_map_writer);
        fill(service_writer);
        fill(service_account_writer);
        fill(disruption_budget_writer);
        fill(network_policy_writer);
        fill(ingress_writer);
        fill(autoscaler_writer);
        fill(deployment_writer);
        fill(pod_writer);
        for waiter in waiters {
            assert!(waiter.await.expect("no panic"));
        }
    }
}

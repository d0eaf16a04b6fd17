//! What the operator keeps of the cluster in memory, fed by watches.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::runtime::reflector::Store;

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
    /// The document APIs.
    pub deployments: Store<Deployment>,
    /// Pods of document APIs, trimmed to what conditions need.
    pub pods: Store<Pod>,
}

impl Stores {
    /// Resolves when every store holds what the cluster held at the start.
    ///
    /// # Errors
    /// A watch has ended.
    pub async fn ready(&self) -> Result<(), kube::runtime::reflector::store::WriterDropped> {
        let Self {
            secrets,
            config_maps,
            services,
            service_accounts,
            disruption_budgets,
            network_policies,
            deployments,
            pods,
        } = self;
        secrets.wait_until_ready().await?;
        config_maps.wait_until_ready().await?;
        services.wait_until_ready().await?;
        service_accounts.wait_until_ready().await?;
        disruption_budgets.wait_until_ready().await?;
        network_policies.wait_until_ready().await?;
        deployments.wait_until_ready().await?;
        pods.wait_until_ready().await
    }
}

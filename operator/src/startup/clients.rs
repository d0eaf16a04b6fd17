//! Ways to the API server: one that writes only while the Lease is held, and one for the Lease itself.

use anyhow::Context as _;
use kube::api::ListParams;
use kube::{Client, Config};

use crate::leadership::claims::Claims;
use crate::leadership::fence::Fence;
use crate::leadership::fenced_client::fenced_client;
use crate::leadership::lease::{Leadership, TIMING, lease_name};
use crate::monitoring::metrics::observe_leadership;
use crate::network::{ClusterNetwork, Egress, api_server_addresses};
use crate::reconciled_kind::ReconciledKind;
use crate::scope::Scope;
use crate::settings::Settings;

/// The ways to the API server, and the fence between them.
pub struct Clients {
    /// Writes only while the fence is open.
    pub fenced: Client,
    /// Writes at any time, so that it may open the fence.
    unfenced: Client,
    /// Until when anything may be written.
    pub fence: Fence,
}

impl Clients {
    /// Clients of the cluster that the environment or a kubeconfig names, as kubectl finds it.
    ///
    /// # Errors
    /// There is none, or its certificate cannot be used.
    pub async fn new(settings: &Settings) -> anyhow::Result<Self> {
        let mut config = Config::infer()
            .await
            .context("no cluster: set KUBECONFIG, or run inside a cluster with a ServiceAccount")?;
        let fence = Fence::shut();
        let deadline = settings.api_deadline;
        let fenced = fenced_client(&config, fence.clone(), deadline)?;
        // A renewal that is late is worth nothing: trying again is up to the Lease.
        config.default_retry = false;
        // It watches nothing.
        config.read_timeout = Some(deadline);
        observe_leadership(fence.clone());
        Ok(Self {
            fenced,
            unfenced: Client::try_from(config)?,
            fence,
        })
    }

    /// Sees that the objects of a kind can be listed before anything waits for them.
    ///
    /// # Errors
    /// They cannot: the chart is not installed, or only in part.
    pub async fn check_crd<K: ReconciledKind>(&self, settings: &Settings) -> anyhow::Result<()> {
        let scope = Scope::new(self.unfenced.clone(), settings.namespaces());
        for objects in scope.apis::<K>() {
            let listed = objects.list(&ListParams::default().limit(1)).await;
            listed.with_context(|| {
                let (kind, url) = (K::kind(&()), objects.resource_url());
                format!("{kind}s cannot be listed at {url}: install the CRD and the operator's roles with the Helm chart")
            })?;
        }
        Ok(())
    }

    /// What the settings say of the cluster's network, and where the API server is.
    pub async fn network(&self, settings: &Settings) -> ClusterNetwork {
        ClusterNetwork {
            gateways: settings.gateways.0.clone(),
            scrapers: settings.scrapers.0.clone(),
            api_server: match settings.egress {
                Egress::Restricted => Some(api_server_addresses(self.unfenced.clone()).await),
                Egress::Open => None,
            },
        }
    }

    /// The namespaces that it cares for, as it tells operators of other releases; to be written under the Lease.
    #[must_use]
    pub fn claims(&self, settings: &Settings) -> Claims {
        let namespaces = settings.namespaces();
        let holder = format!("{}/{}", settings.lease_namespace, lease_name(&namespaces));
        Claims::new(self.fenced.clone(), &namespaces, holder)
    }

    /// Who may hold the Lease for this process.
    #[must_use]
    pub fn leadership(&self, settings: &Settings) -> Leadership {
        Leadership::new(
            self.unfenced.clone(),
            (
                &settings.lease_namespace,
                lease_name(&settings.namespaces()),
            ),
            settings.identity.clone(),
            self.fence.clone(),
            TIMING,
        )
    }
}

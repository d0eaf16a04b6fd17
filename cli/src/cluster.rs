//! The cluster and namespace that the arguments name, as kubectl would take them.

use docket_crds::DocumentTenant;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, DynamicObject};
use kube::{Api, Client, Config};

use crate::arguments::ClusterArguments;
use crate::problem::Problem;

/// A way to the API server.
pub(crate) struct Cluster {
    pub client: Client,
    pub namespace: String,
}

impl Cluster {
    pub(crate) async fn of(arguments: &ClusterArguments) -> Result<Self, Problem> {
        let config = config(arguments).await.map_err(|error| {
            Problem::could_not_run(format!("no cluster is named: {error}."))
                .advise("Name one with KUBECONFIG, --kubeconfig or --context; after `make up`: eval \"$(make -s env)\"")
        })?;
        let namespace = arguments.namespace.clone();
        Ok(Self {
            namespace: namespace.unwrap_or_else(|| config.default_namespace.clone()),
            client: Client::try_from(config)
                .map_err(|error| Problem::of_cluster(error, "reach the cluster"))?,
        })
    }

    pub(crate) fn tenants(&self) -> Api<DocumentTenant> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The same as plain objects, so that fields of a newer release survive a change.
    pub(crate) fn plain_tenants(&self) -> Api<DynamicObject> {
        let kind = ApiResource::erase::<DocumentTenant>(&());
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind)
    }

    /// What a sentence calls the tenant `name`.
    pub(crate) fn full_name(&self, name: &str) -> String {
        format!("{}/{name}", self.namespace)
    }
}

async fn config(arguments: &ClusterArguments) -> Result<Config, Box<dyn std::error::Error>> {
    let options = KubeConfigOptions {
        context: arguments.context.clone(),
        ..KubeConfigOptions::default()
    };
    Ok(match (&arguments.kubeconfig, &arguments.context) {
        (Some(file), _) => {
            Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &options).await?
        }
        (None, Some(_)) => Config::from_kubeconfig(&options).await?,
        (None, None) => Config::infer().await?,
    })
}

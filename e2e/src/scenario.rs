//! One test's namespace, with what a tenant needs, and its end.

use std::panic::AssertUnwindSafe;

use anyhow::{Context, Result, bail};
use docket_crds::{ConditionType, DocumentTenant, condition, is_current, names};
use futures::FutureExt;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::client::client;
use crate::documents::Documents;
use crate::explain::explain;
use crate::objects::Objects;
use crate::wait::until;

/// Namespace of the Postgres, S3 and gateway that tests use.
pub const DEV_NAMESPACE: &str = "docket-dev";

/// Name of the tenant of a scenario.
pub const TENANT: &str = "acme";

/// A namespace of its own for one test.
pub struct Scenario {
    /// The cluster.
    pub client: Client,
    /// The namespace.
    pub namespace: String,
    /// The objects in it.
    pub objects: Objects,
}

/// Runs `test` in a namespace of its own, explains its failure, and removes the namespace.
///
/// # Panics
/// The test failed.
pub async fn scenario(test: impl AsyncFnOnce(&Scenario) -> Result<()>) {
    let scenario = Scenario::new().await.expect("a namespace for the test");
    let result = AssertUnwindSafe(scenario.run(test)).catch_unwind().await;
    let failed = !matches!(&result, Ok(Ok(())));
    if failed {
        explain(&scenario.client, &scenario.namespace).await;
    }
    let removed = scenario.remove().await;
    match result {
        Ok(Ok(())) => removed.expect("the namespace is removed"),
        Ok(Err(error)) => panic!("{error:?}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl Scenario {
    async fn new() -> Result<Self> {
        let client = client().await?;
        let namespace = format!("e2e-{}", &uuid::Uuid::new_v4().simple().to_string()[..10]);
        let labels = [(
            "pod-security.kubernetes.io/enforce".to_owned(),
            "restricted".to_owned(),
        )];
        let object = Namespace {
            metadata: ObjectMeta {
                name: Some(namespace.clone()),
                labels: Some(labels.into()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        Api::<Namespace>::all(client.clone())
            .create(&PostParams::default(), &object)
            .await?;
        let objects = Objects::new(client.clone(), &namespace);
        Ok(Self {
            client,
            namespace,
            objects,
        })
    }

    async fn run(&self, test: impl AsyncFnOnce(&Scenario) -> Result<()>) -> Result<()> {
        for name in ["docket-database", "docket-s3"] {
            self.bring_secret(name).await?;
        }
        test(self).await
    }

    /// Copies a Secret of the development stack here.
    ///
    /// # Errors
    /// It is not there, or is here already.
    pub async fn bring_secret(&self, name: &str) -> Result<()> {
        let there = Objects::new(self.client.clone(), DEV_NAMESPACE);
        let secret: Secret = there.get(name).await?;
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        };
        self.objects
            .create(&Secret {
                metadata,
                data: secret.data,
                ..Secret::default()
            })
            .await?;
        Ok(())
    }

    /// The spec of a tenant with `clients`, one replica to keep tests light.
    #[must_use]
    pub fn spec(&self, clients: &[&str]) -> Value {
        json!({
            "clients": clients.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
            "database": {"secretRef": {"name": "docket-database"}},
            "workloads": {"documents": {"storage": {"s3": {
                "bucket": "e2e", "endpoint": "http://s3.docket-dev:7070", "secretRef": {"name": "docket-s3"},
            }}}},
            "api": {"replicas": 1},
            "telemetry": {"endpoint": "http://gateway.docket-dev:4317"},
        })
    }

    /// The same, which reserves little CPU: for many tenants at once.
    #[must_use]
    pub fn small_spec(&self, clients: &[&str]) -> Value {
        let resources = |cpu: &str, memory: &str| json!({"requests": {"cpu": cpu, "memory": "16Mi"}, "limits": {"memory": memory}});
        let mut spec = self.spec(clients);
        spec["api"]["resources"] = resources("10m", "256Mi");
        spec["telemetry"]["collector"] = json!({"resources": resources("5m", "128Mi")});
        spec
    }

    /// Creates the tenant of this scenario with `spec`.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn create(&self, spec: Value) -> Result<DocumentTenant> {
        self.objects.create(&tenant(TENANT, spec)?).await
    }

    /// Creates the tenant and waits until it is Ready.
    ///
    /// # Errors
    /// It does not get Ready.
    pub async fn ready(&self, spec: Value) -> Result<DocumentTenant> {
        self.create(spec).await?;
        self.wait_ready().await
    }

    /// Makes the operator look at the tenant: an annotation is no change of the spec.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn look(&self) -> Result<()> {
        let asked = uuid::Uuid::new_v4().to_string();
        let look = json!({"metadata": {"annotations": {"docket.dev/look": asked}}});
        self.objects.merge::<DocumentTenant>(TENANT, look).await?;
        Ok(())
    }

    /// Waits until the tenant is Ready for its current spec.
    ///
    /// # Errors
    /// It does not get Ready.
    pub async fn wait_ready(&self) -> Result<DocumentTenant> {
        self.wait_condition(ConditionType::Ready, "True", "Ready")
            .await
    }

    /// Waits until the condition `type_` of the current spec has this status and reason.
    ///
    /// # Errors
    /// It does not come about.
    pub async fn wait_condition(
        &self,
        type_: ConditionType,
        status: &str,
        reason: &str,
    ) -> Result<DocumentTenant> {
        self.wait_condition_of(TENANT, type_, status, reason).await
    }

    /// The same of the tenant `name`.
    ///
    /// # Errors
    /// It does not come about.
    pub async fn wait_condition_of(
        &self,
        name: &str,
        type_: ConditionType,
        status: &str,
        reason: &str,
    ) -> Result<DocumentTenant> {
        until(&format!("{name}: {type_}={status} {reason}"), async || {
            let tenant: DocumentTenant = self.objects.get(name).await?;
            Ok(match condition(&tenant, type_) {
                Some(found)
                    if found.status == status
                        && found.reason == reason
                        && is_current(found, &tenant) =>
                {
                    Ok(tenant)
                }
                found => Err(format!("{found:?}")),
            })
        })
        .await
    }

    /// Deletes the tenant and waits until it is gone.
    ///
    /// # Errors
    /// It does not go.
    pub async fn delete_tenant(&self) -> Result<()> {
        self.objects.delete::<DocumentTenant>(TENANT).await?;
        until("the end of the tenant", async || {
            let tenant = self.objects.api::<DocumentTenant>().get_opt(TENANT).await?;
            Ok(match tenant {
                None => Ok(()),
                Some(tenant) => Err(format!("{:?}", tenant.status)),
            })
        })
        .await
    }

    /// The document API of the tenant, as `client`.
    ///
    /// # Errors
    /// The client has no key, or the API no Service.
    pub async fn documents(&self, client: &str) -> Result<Documents> {
        let key = self
            .objects
            .secret(&names::api_keys_secret(TENANT), client)
            .await?;
        Documents::of_service(&self.objects, &names::api_name(TENANT), client, &key).await
    }

    async fn remove(&self) -> Result<()> {
        let tenants = self.objects.api::<DocumentTenant>();
        // Before the namespace, so that its Secrets are there for the cleanup.
        for tenant in tenants.list(&kube::api::ListParams::default()).await? {
            tenants
                .delete(&tenant.name_any(), &DeleteParams::default())
                .await?;
        }
        until("the end of all tenants", async || {
            let left = tenants
                .list(&kube::api::ListParams::default())
                .await?
                .items
                .len();
            Ok(if left == 0 {
                Ok(())
            } else {
                Err(format!("{left} are left"))
            })
        })
        .await?;
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        match namespaces
            .delete(&self.namespace, &DeleteParams::background())
            .await
        {
            // A test may have deleted it itself.
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            result => result.map(|_| ()).map_err(Into::into),
        }
    }
}

/// A `DocumentTenant` of this name and spec.
///
/// # Errors
/// The spec has not the shape of one.
pub fn tenant(name: &str, spec: Value) -> Result<DocumentTenant> {
    let object = json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant", "metadata": {"name": name}, "spec": spec,
    });
    serde_json::from_value(object).context("the spec of a DocumentTenant")
}

/// The schema of `client`, as the status of `tenant` names it.
///
/// # Errors
/// The status does not name the client.
pub fn schema_of(tenant: &DocumentTenant, client: &str) -> Result<String> {
    let clients = tenant.status.iter().flat_map(|status| &status.clients);
    match clients.into_iter().find(|known| known.name == client) {
        Some(known) => Ok(known.schema.clone()),
        None => bail!("the status does not name the client {client}"),
    }
}

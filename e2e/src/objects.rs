//! Reading and changing objects of one namespace.

use std::fmt::Debug;

use anyhow::{Context, Result};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The objects of one namespace.
#[derive(Clone)]
pub struct Objects {
    client: Client,
    namespace: String,
}

impl Objects {
    /// The objects of `namespace`.
    #[must_use]
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
        }
    }

    /// All objects of a kind.
    #[must_use]
    pub fn api<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The object `name`.
    ///
    /// # Errors
    /// It does not exist.
    pub async fn get<K>(&self, name: &str) -> Result<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        let what = || format!("{} {}/{name}", K::kind(&()), self.namespace);
        self.api::<K>().get(name).await.with_context(what)
    }

    /// Creates `object`.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn create<K>(&self, object: &K) -> Result<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Serialize,
    {
        let what = || format!("creating {} {}", K::kind(&()), object.name_any());
        self.api::<K>()
            .create(&PostParams::default(), object)
            .await
            .with_context(what)
    }

    /// Merges `patch` into the object `name`.
    ///
    /// # Errors
    /// The API server refuses it; the refusal is the outermost error.
    pub async fn merge<K>(&self, name: &str, patch: serde_json::Value) -> Result<K, kube::Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        self.api::<K>()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
    }

    /// Deletes the object `name`, without waiting for its end.
    ///
    /// # Errors
    /// It does not exist.
    pub async fn delete<K>(&self, name: &str) -> Result<()>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        let what = || format!("deleting {} {name}", K::kind(&()));
        self.api::<K>()
            .delete(name, &DeleteParams::default())
            .await
            .with_context(what)?;
        Ok(())
    }

    /// The address of the Service `name` in the cluster.
    ///
    /// # Errors
    /// There is no such Service, or it has none.
    pub async fn address(&self, name: &str) -> Result<String> {
        let service: Service = self.get(name).await?;
        let address = service.spec.and_then(|spec| spec.cluster_ip);
        address.with_context(|| format!("the Service {name} has no cluster IP"))
    }

    /// The value of one key of the Secret `name`.
    ///
    /// # Errors
    /// There is no such Secret or key.
    pub async fn secret(&self, name: &str, key: &str) -> Result<String> {
        let secret: Secret = self.get(name).await?;
        let value = secret.data.unwrap_or_default().remove(key);
        let value = value.with_context(|| format!("the Secret {name} has no key {key}"))?;
        Ok(String::from_utf8(value.0)?)
    }
}

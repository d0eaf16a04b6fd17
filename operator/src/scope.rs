//! Where the tenants are that this operator cares for.

use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Client, Resource};

/// One namespace, or all of them.
#[derive(Clone)]
pub struct Scope {
    client: Client,
    namespace: Option<String>,
}

impl Scope {
    /// The namespace `namespace`, or all when it is empty.
    #[must_use]
    pub fn new(client: Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        }
    }

    /// The API server.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The objects of a kind in it.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Secret;

    #[tokio::test]
    async fn an_empty_name_means_all_namespaces() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(kube::client::Body::empty()))
        });
        let client = Client::new(service, "default");
        let url = |namespace| {
            Scope::new(client.clone(), namespace)
                .api::<Secret>()
                .resource_url()
                .to_owned()
        };
        assert_eq!(url(""), "/api/v1/secrets");
        assert_eq!(url("acme"), "/api/v1/namespaces/acme/secrets");
    }
}

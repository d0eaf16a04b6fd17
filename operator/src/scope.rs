//! Where the tenants are that this operator cares for.

use futures::StreamExt as _;
use futures::stream::BoxStream;
use k8s_openapi::NamespaceResourceScope;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::cache::merged_watch::merged;

/// What a watch of the objects of a kind brings.
pub type WatchEvents<K> = BoxStream<'static, watcher::Result<Event<K>>>;

/// Some namespaces, or all of them.
#[derive(Clone)]
pub struct Scope {
    client: Client,
    namespaces: Vec<String>,
}

impl Scope {
    /// These namespaces, or all where none is named.
    #[must_use]
    pub fn new(client: Client, namespaces: Vec<String>) -> Self {
        Self { client, namespaces }
    }

    /// The API server.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The objects of a kind in it, in each namespace where it is not all of them.
    #[must_use]
    pub fn apis<K>(&self) -> Vec<Api<K>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        if self.namespaces.is_empty() {
            return vec![Api::all(self.client.clone())];
        }
        let namespaces = self.namespaces.iter();
        let of_each = namespaces.map(|it| Api::namespaced(self.client.clone(), it));
        of_each.collect()
    }

    /// Watches the objects of a kind in it.
    #[must_use]
    pub fn watch<K>(&self, config: &watcher::Config) -> WatchEvents<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned
            + Send
            + 'static,
    {
        let (scope, config) = (self.clone(), config.clone());
        let each = move || -> Vec<WatchEvents<K>> {
            let apis = scope.apis::<K>().into_iter();
            let watches = apis.map(|api| watcher(api, config.clone()).boxed());
            watches.collect()
        };
        let mut watches = each();
        match (watches.pop(), watches.is_empty()) {
            (Some(only), true) => only,
            _ => merged(each).boxed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Secret;

    #[tokio::test]
    async fn no_name_means_all_namespaces() {
        let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            Ok::<_, std::convert::Infallible>(http::Response::new(kube::client::Body::empty()))
        });
        let client = Client::new(service, "default");
        let urls = |namespaces: &[&str]| -> Vec<String> {
            let namespaces = namespaces.iter().map(ToString::to_string).collect();
            let apis = Scope::new(client.clone(), namespaces).apis::<Secret>();
            apis.iter()
                .map(|api| api.resource_url().to_owned())
                .collect()
        };
        assert_eq!(urls(&[]), ["/api/v1/secrets"]);
        assert_eq!(
            urls(&["acme", "globex"]),
            [
                "/api/v1/namespaces/acme/secrets",
                "/api/v1/namespaces/globex/secrets"
            ]
        );
    }
}

//! The kinds of objects that a tenant is made of: how each is watched, where it is kept, and what is peculiar
//! to it when it is applied.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::caches::Caches;
use crate::cache::object_cache::ObjectCache;
use crate::cache::optional_kinds::OptionalKinds;
use crate::cache::presence::Presence;
use crate::foreign::gateway_api::HttpRoute;
use crate::foreign::prometheus_operator::{PodMonitor, PrometheusRule};

/// Page of a kind whose objects hold whatever somebody puts there, a megabyte each.
const OF_ANY_SIZE: u32 = 10;

/// A kind of object that a tenant is made of.
pub trait Child:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Serialize
    + Sync
    + 'static
{
    /// Whether a change of nothing but the status is a reason to look at the tenant again.
    const STATUS_MATTERS: bool = true;

    /// Objects of a first list that are in memory at once.
    const PAGE: u32 = 50;

    /// Where the objects of this kind are kept that the watch brought.
    fn cache(caches: &Caches) -> &ObjectCache<Self>;

    /// Whether the cluster has the kind; `None` of one that every cluster has.
    fn presence(_: &OptionalKinds) -> Option<&Presence> {
        None
    }

    /// Takes a status away that concerns nobody here, and that others write often.
    fn take_status(&mut self) {}

    /// How an object begins that is not there yet: what others choose afterwards is said only once.
    fn begin(&mut self, _replicas: i32) {}

    /// The object as the workload that it is, if it is one whose pods roll out.
    fn as_deployment(&self) -> Option<&Deployment> {
        None
    }
}

impl Child for Secret {
    const PAGE: u32 = OF_ANY_SIZE;

    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.secrets
    }
}

impl Child for ConfigMap {
    const PAGE: u32 = OF_ANY_SIZE;

    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.config_maps
    }
}

impl Child for ServiceAccount {
    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.service_accounts
    }
}

impl Child for Service {
    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.services
    }
}

impl Child for NetworkPolicy {
    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.network_policies
    }
}

impl Child for PodDisruptionBudget {
    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.disruption_budgets
    }
}

impl Child for Ingress {
    const STATUS_MATTERS: bool = false;

    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.ingresses
    }

    fn take_status(&mut self) {
        self.status = None;
    }
}

impl Child for HttpRoute {
    const STATUS_MATTERS: bool = false;

    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.http_routes
    }

    fn presence(optional: &OptionalKinds) -> Option<&Presence> {
        Some(&optional.http_routes)
    }
}

impl Child for PrometheusRule {
    const STATUS_MATTERS: bool = false;

    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.prometheus_rules
    }

    fn presence(optional: &OptionalKinds) -> Option<&Presence> {
        Some(&optional.prometheus_rules)
    }
}

impl Child for PodMonitor {
    const STATUS_MATTERS: bool = false;

    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.pod_monitors
    }

    fn presence(optional: &OptionalKinds) -> Option<&Presence> {
        Some(&optional.pod_monitors)
    }
}

impl Child for Deployment {
    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.deployments
    }

    /// Where an autoscaler chooses how many pods there are, we say only how many there are at first.
    fn begin(&mut self, replicas: i32) {
        if let Some(spec) = &mut self.spec {
            spec.replicas.get_or_insert(replicas);
        }
    }

    fn as_deployment(&self) -> Option<&Deployment> {
        Some(self)
    }
}

impl Child for HorizontalPodAutoscaler {
    const STATUS_MATTERS: bool = false;

    fn cache(caches: &Caches) -> &ObjectCache<Self> {
        &caches.autoscalers
    }

    fn take_status(&mut self) {
        self.status = None;
    }
}

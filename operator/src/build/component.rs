//! The components of a tenant: each is a Deployment, and what is about its pods alone.

use docket_crds::{Autoscaling, labels};
use k8s_openapi::api::core::v1::Container;

use super::api;
use crate::validated_tenant::ValidatedTenant;

/// Names of all components that a tenant may have: of one that it does not ask for, nothing is left.
pub(crate) const COMPONENTS: [&str; 1] = [labels::API];

/// A component as it should be.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    /// Its name, one of [`COMPONENTS`]: the value of [`labels::COMPONENT`].
    pub name: &'static str,
    /// What its pods run beside a collector: image, environment, probes, resources.
    pub container: Container,
    /// Where it listens.
    pub ports: Vec<Port>,
    /// Number of pods: with an autoscaler as many as there are, or its fewest before there are any.
    pub replicas: i32,
    /// Who chooses the number of pods, if it is not the spec.
    pub autoscaling: Option<Autoscaling>,
}

/// A port of the component's container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Port {
    /// Its name in the pod and on the Service.
    pub name: &'static str,
    /// Where the container listens.
    pub number: u16,
    /// The port of the component's Service that leads here, if one does.
    pub of_service: Option<i32>,
    /// What it speaks: `http` or `https`.
    pub scheme: &'static str,
    /// Whether others than the tenant's own namespace may connect.
    pub is_open: bool,
    /// Whether a Prometheus finds metrics there.
    pub has_metrics: bool,
}

/// The components that a tenant asks for.
pub(crate) fn components(wanted: &ValidatedTenant) -> Vec<Component> {
    vec![api::component(wanted)]
}

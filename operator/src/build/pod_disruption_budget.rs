//! The PodDisruptionBudget: one pod at a time may be evicted, so that a single one can be drained.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::component::Component;
use super::metadata::{component_metadata, selector};
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(wanted: &ValidatedTenant, component: &Component) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: component_metadata(wanted, component.name),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(LabelSelector {
                match_labels: Some(selector(wanted, component.name)),
                ..LabelSelector::default()
            }),
            // A pod that is not ready serves nobody: it must not block the drain of a node.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".into()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    }
}

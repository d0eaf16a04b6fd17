//! The HorizontalPodAutoscaler: the number of pods follows the CPU time of a component's containers.

use docket_crds::Autoscaling;
use docket_crds::names::component_name;
use k8s_openapi::api::autoscaling::v2::{
    ContainerResourceMetricSource, CrossVersionObjectReference, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
};

use super::component::Component;
use super::metadata::component_metadata;
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(
    wanted: &ValidatedTenant,
    component: &Component,
    autoscaling: &Autoscaling,
) -> HorizontalPodAutoscaler {
    let name = component_name(&wanted.name, component.name);
    HorizontalPodAutoscaler {
        metadata: component_metadata(wanted, component.name),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".into()),
                kind: "Deployment".into(),
                name,
            },
            min_replicas: Some(autoscaling.min_replicas),
            max_replicas: autoscaling.max_replicas,
            metrics: Some(vec![MetricSpec {
                type_: "ContainerResource".into(),
                // Of the component's container alone: the collector beside it needs no request for CPU.
                container_resource: Some(ContainerResourceMetricSource {
                    container: component.container.name.clone(),
                    name: "cpu".into(),
                    target: MetricTarget {
                        type_: "Utilization".into(),
                        average_utilization: Some(autoscaling.target_cpu_utilization_percentage),
                        ..MetricTarget::default()
                    },
                }),
                ..MetricSpec::default()
            }]),
            ..HorizontalPodAutoscalerSpec::default()
        }),
        status: None,
    }
}

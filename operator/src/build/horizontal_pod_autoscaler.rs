//! The HorizontalPodAutoscaler: the number of pods follows the CPU time of the API containers.

use docket_crds::Autoscaling;
use docket_crds::names::{API_CONTAINER, api_name};
use k8s_openapi::api::autoscaling::v2::{
    ContainerResourceMetricSource, CrossVersionObjectReference, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
};

use super::metadata::api_metadata;
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(
    wanted: &ValidatedTenant,
    autoscaling: &Autoscaling,
) -> HorizontalPodAutoscaler {
    let name = api_name(&wanted.name);
    HorizontalPodAutoscaler {
        metadata: api_metadata(wanted),
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
                // Of the API's container alone: the collector beside it needs no request for CPU.
                container_resource: Some(ContainerResourceMetricSource {
                    container: API_CONTAINER.into(),
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

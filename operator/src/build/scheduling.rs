//! Where pods run: on the nodes that the spec allows, and as far from each other as these let them.

use std::collections::BTreeMap;

use docket_crds::{TaintEffect, TolerationOperator};
use k8s_openapi::api::core::v1::{Toleration, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::metadata::selector;
use crate::wanted::Wanted;

pub(super) fn node_selector(wanted: &Wanted) -> Option<BTreeMap<String, String>> {
    (!wanted.node_selector.is_empty()).then(|| wanted.node_selector.clone())
}

pub(super) fn tolerations(wanted: &Wanted) -> Option<Vec<Toleration>> {
    let tolerations = wanted.tolerations.iter().map(toleration);
    (!wanted.tolerations.is_empty()).then(|| tolerations.collect())
}

fn toleration(wanted: &docket_crds::Toleration) -> Toleration {
    let operator = match wanted.operator {
        TolerationOperator::Equal => "Equal",
        TolerationOperator::Exists => "Exists",
    };
    let effect = wanted.effect.map(|effect| match effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    });
    Toleration {
        key: wanted.key.clone(),
        operator: Some(operator.into()),
        value: wanted.value.clone(),
        effect: effect.map(Into::into),
        toleration_seconds: None,
    }
}

/// The loss of a node or a zone should not be that of all pods; a small cluster runs them all the
/// same.
pub(super) fn spread(wanted: &Wanted) -> Vec<TopologySpreadConstraint> {
    ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        .map(|topology| TopologySpreadConstraint {
            max_skew: 1,
            topology_key: topology.into(),
            when_unsatisfiable: "ScheduleAnyway".into(),
            label_selector: Some(LabelSelector {
                match_labels: Some(selector(wanted)),
                ..LabelSelector::default()
            }),
            // Otherwise the pods that a rollout replaces would count, too.
            match_label_keys: Some(vec!["pod-template-hash".into()]),
            ..TopologySpreadConstraint::default()
        })
        .into()
}

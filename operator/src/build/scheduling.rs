//! Where pods run: on the nodes that the spec allows, and as far from each other as these let them.

use std::collections::BTreeMap;

use docket_crds::{NodeInclusionPolicy, TaintEffect, TolerationOperator, WhenUnsatisfiable};
use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::metadata::selector;
use crate::validated_tenant::ValidatedTenant;

pub(super) fn node_selector(wanted: &ValidatedTenant) -> Option<BTreeMap<String, String>> {
    (!wanted.node_selector.is_empty()).then(|| wanted.node_selector.clone())
}

pub(super) fn tolerations(wanted: &ValidatedTenant) -> Option<Vec<Toleration>> {
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

/// The spec's fields are some of Kubernetes' own, under the same names.
pub(super) fn affinity(wanted: &ValidatedTenant) -> Option<Affinity> {
    let affinity = wanted.affinity.as_ref()?;
    let same = serde_json::to_value(affinity).and_then(serde_json::from_value);
    Some(same.expect("the fields of an affinity are those of Kubernetes"))
}

/// By default, the loss of a node or a zone should not be that of all pods; a small cluster runs them
/// all the same.
pub(super) fn spread(wanted: &ValidatedTenant, component: &str) -> Vec<TopologySpreadConstraint> {
    let constraint = |max_skew, topology_key: &str, otherwise| TopologySpreadConstraint {
        max_skew,
        topology_key: topology_key.to_owned(),
        when_unsatisfiable: match otherwise {
            WhenUnsatisfiable::DoNotSchedule => "DoNotSchedule".into(),
            WhenUnsatisfiable::ScheduleAnyway => "ScheduleAnyway".into(),
        },
        label_selector: Some(LabelSelector {
            match_labels: Some(selector(wanted, component)),
            ..LabelSelector::default()
        }),
        // Otherwise the pods that a rollout replaces would count, too.
        match_label_keys: Some(vec!["pod-template-hash".into()]),
        ..TopologySpreadConstraint::default()
    };
    let Some(asked) = &wanted.topology_spread else {
        return ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
            .map(|key| constraint(1, key, WhenUnsatisfiable::ScheduleAnyway))
            .into();
    };
    let asked = asked.iter().map(|asked| TopologySpreadConstraint {
        min_domains: asked.min_domains,
        node_affinity_policy: asked.node_affinity_policy.map(policy),
        node_taints_policy: asked.node_taints_policy.map(policy),
        ..constraint(
            asked.max_skew,
            &asked.topology_key,
            asked.when_unsatisfiable,
        )
    });
    asked.collect()
}

fn policy(policy: NodeInclusionPolicy) -> String {
    match policy {
        NodeInclusionPolicy::Honor => "Honor".into(),
        NodeInclusionPolicy::Ignore => "Ignore".into(),
    }
}

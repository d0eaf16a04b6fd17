//! The PrometheusRule: what a Prometheus computes of the tenant, and when it alerts.

use docket_crds::names::api_name;
use docket_objectives::{Scope, objective_rules, presence_alerts, service_alerts};

use super::metadata::{for_prometheus, metadata};
use crate::foreign::prometheus_operator::{PrometheusRule, PrometheusRuleSpec};
use crate::validated_tenant::ValidatedTenant;

pub(super) fn build(wanted: &ValidatedTenant) -> Option<PrometheusRule> {
    if !wanted.monitoring.prometheus_rules {
        return None;
    }
    let (watched, links) = (&wanted.watched, &wanted.monitoring.links);
    let mut groups = vec![
        service_alerts(Scope::One(watched), links),
        presence_alerts(watched, links),
    ];
    groups.extend(objective_rules(&watched.objectives, links));
    let groups = groups
        .iter()
        .map(|group| serde_json::to_value(group).expect("texts serialize"));
    Some(PrometheusRule {
        metadata: for_prometheus(wanted, metadata(wanted, api_name(&wanted.name))),
        spec: PrometheusRuleSpec {
            groups: groups.collect(),
        },
    })
}

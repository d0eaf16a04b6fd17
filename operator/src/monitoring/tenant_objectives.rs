//! The objectives of a tenant, and what rules are about.

use docket_crds::DocumentTenant;
use docket_objectives::{Objective, Tenant};

use crate::identified::Identified;

/// The objectives of a tenant, as far as they are such that the schema accepts them.
pub(crate) fn objectives_of(tenant: &Identified<DocumentTenant>) -> Vec<Objective> {
    let understood = tenant.spec.objectives.iter().filter_map(|objective| {
        Some(Objective {
            namespace: tenant.namespace().to_owned(),
            tenant: tenant.name().to_owned(),
            name: objective.name.clone(),
            target: objective.target.parse().ok()?,
            workload: objective.workload.map(|it| it.as_str().to_owned()),
            indicator: objective.indicator()?,
            window: objective.period()?,
        })
    });
    understood.collect()
}

/// What rules are about.
pub(crate) fn monitored(tenant: &Identified<DocumentTenant>) -> Tenant {
    Tenant {
        namespace: tenant.namespace().to_owned(),
        name: tenant.name().to_owned(),
        objectives: objectives_of(tenant),
        // The schema accepts positive numbers only, so nothing is lost here.
        least_traffic: tenant
            .spec
            .alerts
            .min_requests_per_second
            .map(i32::unsigned_abs),
    }
}

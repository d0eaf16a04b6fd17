//! The conditions on a tenant's status: which there are, and what they say.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::DocumentTenant;

/// The conditions of a tenant; all of them are on its status from the first visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionType {
    /// The tenant is what its spec asks for.
    Ready,
    /// Every client's role and schema are there, at the version of this operator.
    DatabaseReady,
    /// Every client has a password and an API key, and the referenced Secrets can be used.
    CredentialsReady,
    /// The API serves.
    ApiAvailable,
    /// The collectors beside the API containers run.
    CollectorReady,
    /// The tenant keeps what its objectives promise; there where it has some.
    ObjectivesMet,
}

impl ConditionType {
    /// The conditions that `Ready` is made of, in the order in which they come about.
    pub const PARTS: [Self; 4] = [
        Self::CredentialsReady,
        Self::DatabaseReady,
        Self::ApiAvailable,
        Self::CollectorReady,
    ];

    /// The type as a status has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::DatabaseReady => "DatabaseReady",
            Self::CredentialsReady => "CredentialsReady",
            Self::ApiAvailable => "ApiAvailable",
            Self::CollectorReady => "CollectorReady",
            Self::ObjectivesMet => "ObjectivesMet",
        }
    }

    /// The condition of this type among `conditions`.
    #[must_use]
    pub fn among(self, conditions: &[Condition]) -> Option<&Condition> {
        conditions.iter().find(|it| it.type_ == self.as_str())
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the status of `tenant` says of `type_`; nothing before the operator has looked at it.
#[must_use]
pub fn condition(tenant: &DocumentTenant, type_: ConditionType) -> Option<&Condition> {
    type_.among(&tenant.status.as_ref()?.conditions)
}

/// Whether `condition` holds.
#[must_use]
pub fn is_true(condition: &Condition) -> bool {
    condition.status == "True"
}

/// Whether `condition` was said to hold not; nothing known is neither.
#[must_use]
pub fn is_false(condition: &Condition) -> bool {
    condition.status == "False"
}

/// Whether `condition` speaks of the spec of `tenant` as it is now.
#[must_use]
pub fn is_current(condition: &Condition, tenant: &DocumentTenant) -> bool {
    condition.observed_generation == tenant.metadata.generation
}

/// Whether `tenant` is Ready for its spec as it is now.
#[must_use]
pub fn is_ready(tenant: &DocumentTenant) -> bool {
    condition(tenant, ConditionType::Ready).is_some_and(|it| is_true(it) && is_current(it, tenant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tenant(conditions: &[(&str, &str, i64)]) -> DocumentTenant {
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|(type_, status, generation)| {
                json!({"type": type_, "status": status, "reason": "Because", "message": "So it is.",
                    "observedGeneration": generation, "lastTransitionTime": "2026-11-21T12:00:00Z"})
            })
            .collect();
        serde_json::from_value(json!({
            "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
            "metadata": {"name": "acme", "generation": 2},
            "spec": {"clients": [{"name": "globex"}], "database": {"secretRef": {"name": "d"}},
                "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": "http://s3", "secretRef": {"name": "s"}}}}}},
            "status": {"conditions": conditions},
        }))
        .expect("a tenant")
    }

    #[test]
    fn a_tenant_is_ready_when_that_is_true_of_the_spec_as_it_is_now() {
        for (status, generation, ready) in [
            ("True", 2, true),
            ("True", 1, false),
            ("False", 2, false),
            ("Unknown", 2, false),
        ] {
            let tenant = tenant(&[("ApiAvailable", "True", 2), ("Ready", status, generation)]);
            assert_eq!(is_ready(&tenant), ready, "{status} of {generation}");
        }
        assert!(!is_ready(&tenant(&[])));
    }

    #[test]
    fn a_condition_is_found_by_its_type_and_told_from_one_that_nobody_knows_of() {
        let tenant = tenant(&[("Ready", "False", 2), ("DatabaseReady", "Unknown", 2)]);
        let of = |type_| condition(&tenant, type_).map(|it| (is_true(it), is_false(it)));
        assert_eq!(of(ConditionType::Ready), Some((false, true)));
        assert_eq!(of(ConditionType::DatabaseReady), Some((false, false)));
        assert_eq!(of(ConditionType::ApiAvailable), None);
        let mut new = tenant.clone();
        new.status = None;
        assert!(condition(&new, ConditionType::Ready).is_none());
    }

    #[test]
    fn who_waits_for_a_condition_by_its_type_goes_on_finding_it() {
        let types = [ConditionType::Ready, ConditionType::ObjectivesMet];
        let types = ConditionType::PARTS.into_iter().chain(types);
        assert_eq!(
            types.map(|it| it.to_string()).collect::<Vec<_>>(),
            [
                "CredentialsReady",
                "DatabaseReady",
                "ApiAvailable",
                "CollectorReady",
                "Ready",
                "ObjectivesMet"
            ]
        );
    }
}

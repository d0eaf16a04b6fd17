//! What a tenant's status should say of its objectives.

use docket_crds::ConditionType;
use docket_crds::{BurnRate, DocumentTenant, ObjectiveStatus, condition};
use docket_objectives::{Objective, Observation, Verdict, verdict};

use super::requests::MeasuredRequests;
use crate::identified::Identified;
use crate::monitoring::tenant_objectives::objectives_of;
use crate::status::conditions::{ConditionStatus, Finding};

/// Why nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The operator is told of no Prometheus.
    NoSource,
    /// It does not answer; the sentence says why.
    Unavailable(String),
}

/// What is to be said; nothing of a tenant that promises nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ObjectivesStatus {
    pub(super) objectives: Vec<ObjectiveStatus>,
    /// Percent, of the objective that has the least left.
    pub(super) error_budget_remaining: Option<String>,
    pub(super) finding: Option<Finding>,
}

/// Whether something was said before.
pub(super) fn is_reported(tenant: &DocumentTenant) -> bool {
    condition(tenant, ConditionType::ObjectivesMet).is_some()
}

/// What is to be said of `tenant`, given all that is known, or why nothing is.
pub(super) fn of(
    tenant: &Identified<DocumentTenant>,
    known: Result<&&MeasuredRequests, &Unknown>,
) -> ObjectivesStatus {
    let objectives = objectives_of(tenant);
    if objectives.is_empty() {
        return ObjectivesStatus::default();
    }
    let unknown = |reason, message: String| {
        Finding::new(
            ConditionType::ObjectivesMet,
            ConditionStatus::Unknown,
            reason,
            message,
        )
    };
    match known {
        Ok(known) => {
            let observed = objectives.into_iter().map(|objective| {
                let observation = known.observation(&objective);
                (objective, observation)
            });
            of_observed(&observed.collect::<Vec<_>>())
        }
        Err(Unknown::NoSource) => ObjectivesStatus {
            finding: Some(unknown(
                "NoMetricsSource",
                "The operator is told of no Prometheus: set metricsSource.url of its chart.".into(),
            )),
            ..ObjectivesStatus::default()
        },
        // What was known last stays.
        Err(Unknown::Unavailable(why)) => {
            let before = tenant.status.clone().unwrap_or_default();
            ObjectivesStatus {
                objectives: before.objectives,
                error_budget_remaining: before.error_budget_remaining,
                finding: Some(unknown(
                    "MetricsUnavailable",
                    format!(
                        "The Prometheus does not answer: {why}; the numbers are those of before."
                    ),
                )),
            }
        }
    }
}

fn of_observed(observed: &[(Objective, Observation)]) -> ObjectivesStatus {
    let least = observed
        .iter()
        .filter_map(|(_, it)| Some((it.budget_remaining?, it.budget_percent()?)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let finding = |status, reason: &str, message: String| {
        Finding::new(ConditionType::ObjectivesMet, status, reason, message)
    };
    let finding = match verdict(observed) {
        Verdict::Met => finding(
            ConditionStatus::True,
            "WithinBudget",
            "Every objective that had traffic has error budget left.".into(),
        ),
        Verdict::BudgetExhausted(names) => finding(
            ConditionStatus::False,
            "BudgetExhausted",
            format!(
                "The error budget of {} is used up: more requests were bad than the target allows over its window.",
                names.join(", ")
            ),
        ),
        Verdict::FastBurn(names) => finding(
            ConditionStatus::False,
            "FastBurn",
            format!(
                "The error budget of {} is being used up fast enough to page: look at burnRates, and at what changed.",
                names.join(", ")
            ),
        ),
        Verdict::NoTraffic => finding(
            ConditionStatus::Unknown,
            "NoTraffic",
            "No request of a client was answered over the objectives' windows, or the Prometheus does not scrape the pods.".into(),
        ),
    };
    ObjectivesStatus {
        objectives: observed
            .iter()
            .map(|(objective, it)| reported(objective, it))
            .collect(),
        error_budget_remaining: least.map(|(_, percent)| percent),
        finding: Some(finding),
    }
}

fn reported(objective: &Objective, observation: &Observation) -> ObjectiveStatus {
    let rate = |burn: &docket_objectives::Burn| {
        Some(BurnRate {
            window: burn.window.to_string(),
            rate: burn.quantised()?,
        })
    };
    ObjectiveStatus {
        name: objective.name.clone(),
        target: objective.target.to_string(),
        workload: objective.workload.clone(),
        observed: observation.observed_percent(),
        error_budget_remaining: observation.budget_percent(),
        burn_rates: observation.burns.iter().filter_map(rate).collect(),
    }
}

#[cfg(test)]
mod tests;

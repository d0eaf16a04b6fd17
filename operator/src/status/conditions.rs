//! What the conditions on a tenant's status should say, and when one counts as changed.

use docket_crds::ConditionType;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Three-valued status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nothing is known yet.
    Unknown,
}

/// What a condition should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The condition.
    pub condition: ConditionType,
    /// Its status.
    pub status: ConditionStatus,
    /// CamelCase reason.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

impl Finding {
    /// A finding about `condition`.
    pub fn new(
        condition: ConditionType,
        status: ConditionStatus,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            condition,
            status,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// The conditions that `findings` make of the conditions that were there: a transition time moves
/// only when the status does.
#[must_use]
pub fn conditions(
    before: &[Condition],
    findings: &[Finding],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    findings
        .iter()
        .map(|finding| {
            let status = format!("{:?}", finding.status);
            let last_transition_time = finding
                .condition
                .among(before)
                .filter(|old| old.status == status)
                .map_or(Time(now), |old| old.last_transition_time.clone());
            Condition {
                type_: finding.condition.to_string(),
                status,
                reason: finding.reason.clone(),
                message: finding.message.clone(),
                observed_generation: generation,
                last_transition_time,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn finding(status: ConditionStatus, message: &str) -> [Finding; 1] {
        [Finding::new(
            ConditionType::Ready,
            status,
            "Reason",
            message,
        )]
    }

    #[test]
    fn the_transition_time_moves_only_when_the_status_does() {
        let first = conditions(&[], &finding(ConditionStatus::False, "a"), Some(1), at(1));
        let same = conditions(
            &first,
            &finding(ConditionStatus::False, "b"),
            Some(2),
            at(2),
        );
        let other = conditions(&same, &finding(ConditionStatus::True, "c"), Some(2), at(3));
        assert_eq!(same[0].last_transition_time, Time(at(1)));
        assert_eq!(same[0].message, "b");
        assert_eq!(other[0].last_transition_time, Time(at(3)));
    }
}

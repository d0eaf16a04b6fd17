//! The conditions on a tenant's status: their types, and when one counts as changed.

use std::fmt;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The conditions of a tenant; all of them are on its status from the first visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionType {
    /// The tenant is what its spec asks for.
    Ready,
    /// Every client's role and schema are there, at the version of this operator.
    DatabaseReady,
    /// Every client has a password and an API key, and the referenced Secrets can be used.
    CredentialsReady,
    /// The document API serves.
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
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Three-valued status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
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
    pub status: Status,
    /// CamelCase reason.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

impl Finding {
    /// A finding about `condition`.
    pub fn new(
        condition: ConditionType,
        status: Status,
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
            let type_ = finding.condition.to_string();
            let status = format!("{:?}", finding.status);
            let last_transition_time = before
                .iter()
                .find(|old| old.type_ == type_ && old.status == status)
                .map_or(Time(now), |old| old.last_transition_time.clone());
            Condition {
                type_,
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

    fn finding(status: Status, message: &str) -> [Finding; 1] {
        [Finding::new(
            ConditionType::Ready,
            status,
            "Reason",
            message,
        )]
    }

    #[test]
    fn the_transition_time_moves_only_when_the_status_does() {
        let first = conditions(&[], &finding(Status::False, "a"), Some(1), at(1));
        let same = conditions(&first, &finding(Status::False, "b"), Some(2), at(2));
        let other = conditions(&same, &finding(Status::True, "c"), Some(2), at(3));
        assert_eq!(same[0].last_transition_time, Time(at(1)));
        assert_eq!(same[0].message, "b");
        assert_eq!(other[0].last_transition_time, Time(at(3)));
    }
}

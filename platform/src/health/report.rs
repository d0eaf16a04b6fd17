//! What a check found. Reasons count clients and never name them: `/health` is open to everyone.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::database::SchemaState;

/// How well something works, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Status)]
pub enum HealthStatus {
    /// All of it works.
    Healthy,
    /// Some clients, or some of what they ask for, are not served.
    Degraded,
    /// Nobody is served, or must not be.
    Unhealthy,
}

impl HealthStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What one component is like, and a sentence for each thing that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How well it works.
    pub status: HealthStatus,
    /// What is wrong.
    pub reasons: Vec<String>,
}

/// All findings of one check.
#[derive(Clone, Debug)]
pub struct Report {
    pub at: Timestamp,
    /// Of each store of content, by name; none where no workload has one.
    pub contents: Vec<(&'static str, Finding)>,
    pub database: Finding,
    /// Time of the slowest answer of Postgres; `None` when it did not answer.
    pub latency: Option<Duration>,
    /// Tables of the workloads that some client's schema does not have.
    pub missing_tables: Vec<String>,
    /// What another server of this tenant could serve and this one never will.
    pub outgrown: Finding,
}

impl Report {
    /// Without its content a tenant still has its metadata and its lists.
    pub fn status(&self) -> HealthStatus {
        let contents = self.contents.iter();
        let contents = contents.map(|(_, finding)| finding.status.min(HealthStatus::Degraded));
        contents.fold(self.database.status, HealthStatus::max)
    }

    /// A sentence for each thing that is wrong with a component.
    pub fn reasons(&self) -> Vec<String> {
        let contents = self.contents.iter().map(|(_, finding)| finding);
        contents
            .chain([&self.database])
            .flat_map(|finding| finding.reasons.clone())
            .collect()
    }
}

impl Finding {
    /// All of it works.
    pub fn healthy() -> Self {
        Self {
            status: HealthStatus::Healthy,
            reasons: Vec::new(),
        }
    }

    /// Some of it works, but for `reason`.
    pub fn degraded(reason: String) -> Self {
        Self {
            status: HealthStatus::Degraded,
            reasons: vec![reason],
        }
    }

    /// It does not work, for `reason`.
    pub fn unhealthy(reason: String) -> Self {
        Self {
            status: HealthStatus::Unhealthy,
            reasons: vec![reason],
        }
    }

    /// Whether there are schemas that this server is too old for.
    pub fn of_newer_schemas(states: &[SchemaState]) -> Self {
        let mut finding = Self::healthy();
        finding.find(states, HealthStatus::Unhealthy, is_newer, NEWER);
        finding
    }

    fn find(
        &mut self,
        states: &[SchemaState],
        status: HealthStatus,
        wanted: fn(&SchemaState) -> bool,
        sentence: &str,
    ) {
        let (count, all) = (states.iter().filter(|it| wanted(it)).count(), states.len());
        if count > 0 {
            self.status = self.status.max(status);
            self.reasons
                .push(format!("{count} of {all} clients: {sentence}"));
        }
    }

    /// What the clients' schemas together say of the database.
    pub fn of_schemas(states: &[SchemaState]) -> Self {
        let mut finding = Self::healthy();
        let mut find = |status, wanted, sentence| finding.find(states, status, wanted, sentence);
        find(
            HealthStatus::Unhealthy,
            |state| matches!(state, SchemaState::Unreachable(_)),
            "the database does not answer",
        );
        find(HealthStatus::Unhealthy, is_newer, NEWER);
        find(
            HealthStatus::Degraded,
            |state| matches!(state, SchemaState::Older(_)),
            "the schema is older than this server; the operator has yet to migrate it",
        );
        find(
            HealthStatus::Degraded,
            |state| matches!(state, SchemaState::NotProvisioned(_)),
            "the schema is not provisioned, or the login is refused",
        );
        find(
            HealthStatus::Degraded,
            |state| matches!(state, SchemaState::Current { missing } if !missing.is_empty()),
            "tables are missing",
        );
        find(
            HealthStatus::Degraded,
            |state| matches!(state, SchemaState::ReadOnly),
            "the database is read-only, and takes no changes",
        );
        finding
    }
}

const NEWER: &str = "the schema is newer than this server; roll the server forward";

fn is_newer(state: &SchemaState) -> bool {
    matches!(state, SchemaState::Newer(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURRENT: SchemaState = SchemaState::Current {
        missing: Vec::new(),
    };

    #[test]
    fn clients_that_are_all_served_are_healthy() {
        assert_eq!(Finding::of_schemas(&[CURRENT, CURRENT]), Finding::healthy());
        assert_eq!(Finding::of_schemas(&[]), Finding::healthy());
    }

    #[test]
    fn a_client_that_waits_for_its_schema_degrades() {
        for waiting in [
            SchemaState::Older("platform"),
            SchemaState::NotProvisioned("x".into()),
            SchemaState::ReadOnly,
            SchemaState::Current {
                missing: vec!["t".into()],
            },
        ] {
            let finding = Finding::of_schemas(&[CURRENT, waiting]);
            assert_eq!(finding.status, HealthStatus::Degraded);
            assert!(finding.reasons[0].starts_with("1 of 2 clients: "));
        }
    }

    #[test]
    fn a_newer_schema_or_an_absent_database_is_unhealthy() {
        for state in [
            SchemaState::Newer("platform"),
            SchemaState::Unreachable("x".into()),
        ] {
            assert_eq!(
                Finding::of_schemas(&[CURRENT, state]).status,
                HealthStatus::Unhealthy
            );
        }
    }
}

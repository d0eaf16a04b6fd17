//! What can go wrong in a reconcile, and whether trying again can help.

use docket_crds::ConditionType;

/// Why a reconcile did not reach its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user must act; a sentence says how. Trying again would only find the same.
    #[error("{0}")]
    Permanent(Problem),
    /// Something outside failed that may work again by itself.
    #[error("{0}")]
    Transient(Problem),
    /// The API server refused or did not answer.
    #[error("Kubernetes: {0}")]
    Kubernetes(kube::Error),
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        if is_of_an_ending_namespace(&error) {
            return Self::Permanent(Problem::new(
                ConditionType::ApiAvailable,
                "NamespaceTerminating",
                "The namespace is being deleted, so nothing is made in it any more; the tenant goes with it.",
            ));
        }
        Self::Kubernetes(error)
    }
}

/// Whether the API server refused to make something because the namespace is being deleted.
pub(crate) fn is_of_an_ending_namespace(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    let mut causes = status.details.iter().flat_map(|it| &it.causes);
    causes.any(|it| it.reason == "NamespaceTerminating")
}

/// What is told to the user: the condition that is not met, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Problem {
    /// The condition that turns False.
    pub condition: ConditionType,
    /// CamelCase reason.
    pub reason: &'static str,
    /// A sentence that says what is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// A problem with the condition `condition`.
    pub fn new(condition: ConditionType, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            condition,
            reason,
            message: message.into(),
        }
    }
}

impl Error {
    /// The operator ends while this tenant waits for its turn.
    #[must_use]
    pub fn stopping() -> Self {
        Self::Transient(Problem::new(
            ConditionType::Ready,
            "OperatorStopping",
            "The operator ends; the next one takes over.",
        ))
    }

    /// The problem to show on the resource.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Permanent(problem) | Self::Transient(problem) => problem.clone(),
            Self::Kubernetes(error) => Problem::new(
                ConditionType::ApiAvailable,
                "KubernetesError",
                format!(
                    "The API server refused or did not answer; the operator tries again. It said: {error}"
                ),
            ),
        }
    }

    /// Whether trying again without a change can help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        !matches!(self, Self::Permanent(_))
    }

    /// A word for metrics.
    #[must_use]
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Permanent(_) => "permanent",
            Self::Transient(_) => "transient",
            Self::Kubernetes(_) => "kubernetes",
        }
    }
}

/// The result of what may fail in a reconcile.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn in_a_namespace_that_is_being_deleted_nothing_is_tried_again() {
        let refusal = |cause: &str| {
            let status = json!({"code": 403, "reason": "Forbidden", "details": {"causes": [{"reason": cause}]}});
            let status = serde_json::from_value(status).expect("a Status");
            Error::from(kube::Error::Api(status))
        };
        let ends = refusal("NamespaceTerminating");
        assert!(!ends.is_transient());
        assert_eq!(ends.problem().reason, "NamespaceTerminating");
        let full = refusal("QuotaExceeded");
        assert!(full.is_transient());
        assert_eq!(full.problem().reason, "KubernetesError");
    }
}

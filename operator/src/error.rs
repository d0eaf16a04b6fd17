//! What can go wrong in a reconcile, and whether trying again can help.

use docket_crds::ConditionType;
use docket_instrumentation::Panicked;

/// The word for metrics of a reconcile that panicked.
pub(crate) const PANICKED: &str = "panicked";

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
    /// The operator itself is at fault. It tries again: what led to it may have passed.
    #[error("{0}")]
    Panicked(Panicked),
    /// It is the turn of others; the object comes back, and nothing is told of it meanwhile.
    #[error("it waits for its turn: {0}")]
    Queued(&'static str),
}

impl From<Panicked> for Error {
    fn from(panicked: Panicked) -> Self {
        Self::Panicked(panicked)
    }
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

/// Bytes of a sentence on a condition, at most: it may quote what others say, and is part of each version of the
/// object.
const LONGEST: usize = 4096;

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
            message: shorten(message.into(), LONGEST),
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
            Self::Panicked(panicked) => Problem::new(
                ConditionType::Ready,
                "ReconcilePanicked",
                format!(
                    "The operator broke off: it {panicked}. That is its own fault; it goes on with the other tenants and \
                     tries again. What runs goes on. Report it with the line \"panicked\" of its log."
                ),
            ),
            Self::Queued(_) => Problem::new(ConditionType::Ready, "Queued", self.to_string()),
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
            Self::Panicked(_) => PANICKED,

            Self::Queued(_) => "queued",
        }
    }
}

/// `text`, cut at a character before it has more than `longest` bytes.
pub(crate) fn shorten(text: String, longest: usize) -> String {
    if text.len() <= longest {
        return text;
    }
    format!("{}…", &text[..text.floor_char_boundary(longest)])
}

/// The result of what may fail in a reconcile.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sentence_is_cut_at_a_character_before_the_limit() {
        let shortened = shorten("ä".repeat(2000), 1001);
        assert_eq!((shortened.len(), shortened.ends_with("ä…")), (1003, true));
        assert_eq!(shorten("short".into(), 1001), "short");
        let problem = Problem::new(ConditionType::Ready, "Long", "a".repeat(1 << 20));
        assert!(problem.message.len() < 5000);
    }

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

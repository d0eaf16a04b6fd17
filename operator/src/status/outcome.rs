//! How reconciles of tenants end, as far as that is told.

use docket_crds::{ClientStatus, DeletionPolicy, PlanStatus, ReconcileStatus};

use super::events::Note;
use super::rollout::Rollouts;
use crate::cache::pods::ObservedPod;
use crate::error::Problem;
use crate::validated_tenant::{Notice, ValidatedTenant};

/// How a reconcile of a tenant ended, or what is said before it goes on.
pub(crate) enum Outcome<'a> {
    /// New clients have names, and nothing was made of them yet.
    Begun(&'a ValidatedTenant),
    /// It reached its end.
    Progress(Progress<'a>),
    /// It did not.
    Failed {
        /// What kept it from that.
        problem: &'a Problem,
        /// The trace that tells more.
        trace_id: &'a str,
    },
    /// The tenant is left as it is.
    AtRest {
        /// Reason of `Ready`.
        reason: &'static str,
        /// Why that is so.
        message: String,
        /// What would be changed, if somebody asked.
        plan: Option<PlanStatus>,
    },
    /// The tenant is being deleted.
    Deleting {
        /// What becomes of it.
        message: &'static str,
    },
}

/// What a reconcile that reached its end has to say.
pub(crate) struct Progress<'a> {
    /// The tenant as it should be.
    pub wanted: &'a ValidatedTenant,
    /// How far its pods are.
    pub rollouts: &'a Rollouts,
    /// Clients that the spec no longer names and whose data is still to be dealt with.
    pub remaining: Vec<ClientStatus>,
    /// What it changed, if anything.
    pub changed: Option<Changed>,
}

/// What a reconcile changed.
pub(crate) struct Changed {
    /// In words.
    pub what: String,
    /// What the status says of the reconcile.
    pub reconcile: ReconcileStatus,
}

impl Changed {
    /// For those who read Events.
    pub(crate) fn note(&self) -> Note {
        let Self { what, reconcile } = self;
        Note::normal("Applied", format!("{what} (trace {})", reconcile.trace_id))
    }
}

impl Outcome<'_> {
    /// The tenant is being deleted, and its data goes as `policy` says.
    pub(crate) fn deleting(policy: DeletionPolicy) -> Self {
        let message = match policy {
            DeletionPolicy::Retain => {
                "The pods end; then the clients' logins are taken, and their data stays, as \
                 spec.database.deletionPolicy says."
            }
            DeletionPolicy::Delete => {
                "The pods end; then the clients' data is deleted, as spec.database.deletionPolicy says."
            }
        };
        Self::Deleting { message }
    }

    /// What the reconcile changed, if that is to be told.
    pub(crate) fn changed(&self) -> Option<&Changed> {
        match self {
            Self::Progress(progress) => progress.changed.as_ref(),
            _ => None,
        }
    }
}

/// What is known of a tenant beside what its reconcile found.
#[derive(Default)]
pub(crate) struct Sight {
    /// How far its pods are, where it has some.
    pub rollouts: Option<Rollouts>,
    /// Those that are not ending.
    pub pods: Vec<ObservedPod>,
    /// What is lost of its telemetry.
    pub loss: Option<Notice>,
}

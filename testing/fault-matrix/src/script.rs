//! What happens between the operator and the world, in order: learned in a clean run, and broken at
//! one point in another.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

/// A call to the API server or a statement to Postgres, told apart from the others of its kind by
/// how often it was seen before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Which of the proxies sees it.
    pub place: Place,
    /// What it does, such as `PATCH deployments/acme-api`.
    pub call: String,
    /// 1 for the first of its kind.
    pub occurrence: u32,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} #{}", self.place, self.call, self.occurrence)
    }
}

/// Between the operator and whom a proxy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The API server.
    Kubernetes,
    /// The database.
    Postgres,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kubernetes => "Kubernetes",
            Self::Postgres => "Postgres",
        })
    }
}

/// What goes wrong at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9 of the operator before the call is forwarded.
    KillBefore,
    /// kill -9 when the call is committed and not answered.
    KillCommitted,
    /// kill -9 when it is answered.
    KillAnswered,
    /// The call is not forwarded: 409 Conflict.
    Conflict,
    /// The call is not forwarded: 429, come back in a second.
    TooMany,
    /// The call is not forwarded: 500.
    Internal,
    /// The call is not forwarded: 503.
    Unavailable,
    /// The call is not forwarded, and the connection is reset.
    Cut,
    /// The call is committed, and the connection is reset before the answer.
    CutCommitted,
    /// The call is not forwarded, and nobody ever answers.
    Hang,
    /// The call is not forwarded; Postgres shuts down, as it says.
    Shutdown,
    /// The call is not forwarded; Postgres says that the transaction must be tried again.
    Retry,
}

impl Fault {
    /// What can go wrong with a call to the API server.
    pub const OF_KUBERNETES: [Self; 9] = [
        Self::KillBefore,
        Self::KillCommitted,
        Self::KillAnswered,
        Self::Conflict,
        Self::TooMany,
        Self::Internal,
        Self::Unavailable,
        Self::CutCommitted,
        Self::Hang,
    ];

    /// What can go wrong with a statement.
    pub const OF_POSTGRES: [Self; 8] = [
        Self::KillBefore,
        Self::KillCommitted,
        Self::KillAnswered,
        Self::Retry,
        Self::Shutdown,
        Self::Cut,
        Self::CutCommitted,
        Self::Hang,
    ];

    /// What can go wrong at `place`.
    #[must_use]
    pub fn at(place: Place) -> &'static [Self] {
        match place {
            Place::Kubernetes => &Self::OF_KUBERNETES,
            Place::Postgres => &Self::OF_POSTGRES,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KillBefore => "kill before",
            Self::KillCommitted => "kill committed",
            Self::KillAnswered => "kill answered",
            Self::Conflict => "409",
            Self::TooMany => "429",
            Self::Internal => "500",
            Self::Unavailable => "503",
            Self::Cut => "cut before",
            Self::CutCommitted => "cut committed",
            Self::Hang => "hang",
            Self::Shutdown => "57P01",
            Self::Retry => "40001",
        })
    }
}

/// What the proxies share.
#[derive(Debug, Default)]
pub struct Script(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    plan: Option<(Point, Fault)>,
    met: bool,
    counts: BTreeMap<(Place, String), u32>,
    calls: Vec<Point>,
    /// Every write, Events included.
    writes: u64,
    last: Option<Instant>,
    committed: BTreeMap<String, u32>,
}

impl Script {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder of this lock panics")
    }

    /// Forgets what was seen; from now on `plan` is what goes wrong, once.
    pub fn begin(&self, plan: Option<(Point, Fault)>) {
        let mut inner = self.inner();
        let last = inner.last;
        *inner = Inner {
            plan,
            last,
            ..Inner::default()
        };
    }

    /// A call comes by: what goes wrong with it, if anything.
    pub fn arrives(&self, place: Place, call: String) -> Option<Fault> {
        let mut inner = self.inner();
        let count = inner.counts.entry((place, call.clone())).or_default();
        *count += 1;
        let point = Point {
            place,
            call,
            occurrence: *count,
        };
        inner.last = Some(Instant::now());
        inner.calls.push(point.clone());
        match &inner.plan {
            Some((planned, fault)) if *planned == point => {
                let fault = *fault;
                inner.met = true;
                Some(fault)
            }
            _ => None,
        }
    }

    /// A write comes by, of whatever kind.
    pub fn writes(&self) {
        let mut inner = self.inner();
        inner.writes += 1;
        inner.last = Some(Instant::now());
    }

    /// Something was created or deleted for good.
    pub fn committed(&self, what: String) {
        *self.inner().committed.entry(what).or_default() += 1;
    }

    /// What was created and deleted for good, and how often.
    #[must_use]
    pub fn commits(&self) -> BTreeMap<String, u32> {
        self.inner().committed.clone()
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Point> {
        self.inner().calls.clone()
    }

    /// Whether the planned point has come by.
    #[must_use]
    pub fn met(&self) -> bool {
        self.inner().met
    }

    /// How many writes came by.
    #[must_use]
    pub fn write_count(&self) -> u64 {
        self.inner().writes
    }

    /// When something last came by.
    #[must_use]
    pub fn last(&self) -> Option<Instant> {
        self.inner().last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_strikes_once_at_its_occurrence_of_the_call() {
        let script = Script::default();
        let point = Point {
            place: Place::Kubernetes,
            call: "PATCH a".into(),
            occurrence: 2,
        };
        script.begin(Some((point, Fault::Conflict)));
        let strike = |call: &str| script.arrives(Place::Kubernetes, call.to_owned());
        assert_eq!(strike("PATCH a"), None);
        assert_eq!(strike("PATCH b"), None);
        assert!(!script.met());
        assert_eq!(strike("PATCH a"), Some(Fault::Conflict));
        assert_eq!(strike("PATCH a"), None);
        assert!(script.met());
    }
}

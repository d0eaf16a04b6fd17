//! When credentials are made anew: as often as the spec says, and whenever an annotation changes.

use std::collections::BTreeMap;
use std::time::Duration;

use docket_crds::annotations::{REVOKED_FOR, ROTATED_AT, ROTATED_FOR};
use jiff::Timestamp;

/// The last rotation of what a Secret holds, kept in its annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// When it was; at first, when the Secret was made.
    pub at: Timestamp,
    /// The value of the tenant's annotation that asked for it.
    pub asked: Option<String>,
    /// The value of the annotation that asked for what was before to end at once, the last time.
    pub revoked: Option<String>,
}

/// What a tenant asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The value of its annotation: each new one asks for one rotation.
    pub value: Option<String>,
    /// Time between two rotations.
    pub every: Option<Duration>,
    /// The value of its annotation that asks for what is there to end at once: each new one asks once.
    pub revoke: Option<String>,
}

impl Rotated {
    /// What the annotations of a Secret say that was made at `created`.
    #[must_use]
    pub fn read(annotations: &BTreeMap<String, String>, created: Timestamp) -> Self {
        let at = annotations.get(ROTATED_AT).and_then(|at| at.parse().ok());
        Self {
            at: at.unwrap_or(created),
            asked: annotations.get(ROTATED_FOR).cloned(),
            revoked: annotations.get(REVOKED_FOR).cloned(),
        }
    }

    /// Whether the annotations of a Secret tell of a rotation.
    #[must_use]
    pub fn is_in(annotations: &BTreeMap<String, String>) -> bool {
        annotations.contains_key(ROTATED_AT)
    }

    /// The annotations that say so.
    #[must_use]
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let at = (ROTATED_AT.to_owned(), self.at.to_string());
        let value = |name: &str, value: &Option<String>| {
            let value = value.clone();
            value.map(|value| (name.to_owned(), value))
        };
        let asked = value(ROTATED_FOR, &self.asked);
        let revoked = value(REVOKED_FOR, &self.revoked);
        std::iter::once(at).chain(asked).chain(revoked).collect()
    }
}

impl Asked {
    /// Whether what was last rotated as `last` says is to be rotated now.
    #[must_use]
    pub fn is_due(&self, last: &Rotated, now: Timestamp) -> bool {
        let asked_anew = self.value.is_some() && self.value != last.asked;
        asked_anew || self.is_revoked(last) || self.next(last).is_some_and(|next| next <= now)
    }

    /// Whether what was last rotated as `last` says is to end at once.
    #[must_use]
    pub fn is_revoked(&self, last: &Rotated) -> bool {
        self.revoke.is_some() && self.revoke != last.revoked
    }

    /// When it is to be rotated by itself.
    #[must_use]
    pub fn next(&self, last: &Rotated) -> Option<Timestamp> {
        last.at.checked_add(self.every?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn rotated(second: i64, asked: Option<&str>) -> Rotated {
        Rotated {
            at: at(second),
            asked: asked.map(Into::into),
            revoked: None,
        }
    }

    fn asked(value: Option<&str>, seconds: Option<u64>) -> Asked {
        Asked {
            value: value.map(Into::into),
            every: seconds.map(Duration::from_secs),
            revoke: None,
        }
    }

    #[test]
    fn each_new_value_of_the_annotation_asks_once() {
        let asked = asked(Some("b"), None);
        assert!(asked.is_due(&rotated(0, None), at(1)));
        assert!(asked.is_due(&rotated(0, Some("a")), at(1)));
        assert!(!asked.is_due(&rotated(0, Some("b")), at(1_000_000)));
    }

    #[test]
    fn each_new_value_of_the_annotation_that_revokes_asks_once() {
        let asked = Asked {
            revoke: Some("b".into()),
            ..asked(None, None)
        };
        let after = |revoked: Option<&str>| Rotated {
            revoked: revoked.map(Into::into),
            ..rotated(0, None)
        };
        for (revoked, due) in [(None, true), (Some("a"), true), (Some("b"), false)] {
            let last = after(revoked);
            assert_eq!(asked.is_revoked(&last), due);
            assert_eq!(asked.is_due(&last, at(1)), due);
            assert_eq!(Rotated::read(&last.annotations(), at(9)), last);
        }
    }

    #[test]
    fn an_annotation_that_was_taken_away_asks_for_nothing() {
        assert!(!asked(None, None).is_due(&rotated(0, Some("a")), at(1)));
    }

    #[test]
    fn an_interval_counts_from_the_last_rotation() {
        let asked = asked(None, Some(60));
        assert!(!asked.is_due(&rotated(100, None), at(159)));
        assert!(asked.is_due(&rotated(100, None), at(160)));
        assert_eq!(asked.next(&rotated(100, None)), Some(at(160)));
    }

    #[test]
    fn what_is_written_on_a_secret_is_read_from_it() {
        for rotated in [rotated(5, None), rotated(7, Some("x"))] {
            assert_eq!(Rotated::read(&rotated.annotations(), at(0)), rotated);
        }
        assert_eq!(Rotated::read(&BTreeMap::new(), at(3)), rotated(3, None));
    }
}

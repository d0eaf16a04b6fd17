//! The keys of a tenant that issues tokens: the one that signs, the one that will, and the one that did, of
//! which only the public half is left.
//!
//! A key is published before it signs, so that nobody meets it unprepared, and after it did, until no token
//! that it signed is good any more. Both are a matter of time: servers read their keys again while they run,
//! and others keep copies of what was published. So each step waits from when pods could see the one before.

use std::collections::BTreeMap;
use std::time::Duration;

use docket_contract::SigningKeys as PublishedKeys;
use docket_crds::Issuer;
use docket_crds::names::{CURRENT, PREVIOUS, UPCOMING};
use jiff::Timestamp;
use k8s_openapi::ByteString;

use crate::credentials::ed25519::{PrivateKey, PublicKey};
use crate::credentials::rotation::{Asked, Rotated};
use crate::credentials::secret_value::SecretGenerator;
use crate::text_form::TextForm;

/// Time in which a new key is published before it signs: the kubelet brings it to pods within two minutes,
/// and whoever fetches the keys may keep them for five.
pub const LEAD: Duration = Duration::from_secs(10 * 60);

/// Time in which a key is published after it signed: that of the longest token, and what pods may be behind.
pub const OVERLAP: Duration =
    Duration::from_secs(Issuer::LONGEST_LIFETIME.as_secs() + LEAD.as_secs());

/// What the caches may be behind: pods see what was written so recently, though it does not look like it.
const BEHIND: Duration = Duration::from_secs(60);

/// One key is a tenth of it.
const PEM: TextForm = TextForm::lines(2 * 1024);

/// The keys of a tenant.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    /// The one that signs.
    pub current: PrivateKey,
    /// The one that will sign next.
    pub upcoming: Option<PrivateKey>,
    /// The one that signed before.
    pub previous: Option<PublicKey>,
}

/// What the Secret with the keys says of their last step, and whether pods can see it.
#[derive(Clone, Debug)]
pub struct LastStep {
    /// When it was, and who asked for it; none while there is no Secret.
    pub rotated: Option<Rotated>,
    /// Whether the Secret itself says so, and not only when it was made.
    pub was_rotated: bool,
    /// Whether what pods read is what the Secret holds.
    pub is_seen: bool,
}

/// What becomes of the keys of a tenant.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The keys from now on.
    pub keys: SigningKeys,
    /// The last step, for the Secret; none while there never was one.
    pub rotated: Option<Rotated>,
    /// When the next step is due that nobody asks for.
    pub next: Option<Timestamp>,
}

impl SigningKeys {
    /// The keys in the entries of a Secret; where none signs, the one that would be next does, or a new one.
    pub fn read(entries: &BTreeMap<String, ByteString>, secrets: &mut dyn SecretGenerator) -> Self {
        let private = |entry: &str| {
            let pem = &entries.get(entry)?.0;
            // As it is: another text would be another Secret.
            PEM.read(pem).ok().and_then(|_| PrivateKey::read(pem))
        };
        let mut upcoming = private(UPCOMING);
        let current = private(CURRENT).or_else(|| upcoming.take());
        Self {
            current: current.unwrap_or_else(|| PrivateKey::from_seed(secrets.seed())),
            upcoming,
            previous: entries
                .get(PREVIOUS)
                .and_then(|text| PublicKey::read(&text.0)),
        }
    }

    /// As API servers read them.
    #[must_use]
    pub fn published(&self) -> PublishedKeys {
        let current = Some(self.current.public);
        let upcoming = self.upcoming.as_ref().map(|key| key.public);
        let all = [current, upcoming, self.previous];
        PublishedKeys {
            signer: self.current.signer(),
            published: all.iter().flatten().map(PublicKey::published).collect(),
        }
    }

    /// Whether `seen` is as API servers would read these.
    #[must_use]
    pub fn are_in(&self, seen: &PublishedKeys) -> bool {
        let now = self.published();
        now.signer.id == seen.signer.id && now.published == seen.published
    }

    /// What is due of them at `now`, at most one step.
    pub fn turn(
        mut self,
        asked: &Asked,
        last: LastStep,
        now: Timestamp,
        secrets: &mut dyn SecretGenerator,
    ) -> Turn {
        let Some(before) = last.rotated else {
            // What asked before there was a key asks for no other.
            let asked = asked.value.clone();
            let rotated = asked.map(|asked| Rotated {
                at: now,
                asked: Some(asked),
                revoked: None,
            });
            return Turn {
                keys: self,
                rotated,
                next: None,
            };
        };
        let mut rotated = before.clone();
        match self.wait() {
            Some(wait) => rotated.at = self.go_on(before.at, wait, last.is_seen, now),
            None if asked.is_due(&before, now) => {
                self.upcoming = Some(PrivateKey::from_seed(secrets.seed()));
                rotated = Rotated {
                    at: now,
                    asked: asked.value.clone().or_else(|| before.asked.clone()),
                    revoked: None,
                };
            }
            None => {}
        }
        let next = match self.wait() {
            Some(wait) => rotated.at.checked_add(wait).ok(),
            None => asked.next(&rotated),
        };
        let rotated = (last.was_rotated || rotated != before).then_some(rotated);
        Turn {
            keys: self,
            rotated,
            next,
        }
    }

    /// Whether what `entries` hold may be due for a step at `now`: the caches are then not enough to go by.
    #[must_use]
    pub fn may_change(
        entries: &BTreeMap<String, ByteString>,
        asked: &Asked,
        last: Option<Rotated>,
        now: Timestamp,
    ) -> bool {
        let Some(last) = last else {
            return true;
        };
        let has = |entry| entries.contains_key(entry);
        match wait(has(PREVIOUS), has(UPCOMING)) {
            Some(wait) => has_passed(last.at, wait, now),
            None => asked.is_due(&last, now),
        }
    }

    fn wait(&self) -> Option<Duration> {
        wait(self.previous.is_some(), self.upcoming.is_some())
    }

    /// Takes the step that follows by itself `wait` after the one at `since`; returns what the next one is
    /// to wait from.
    fn go_on(
        &mut self,
        since: Timestamp,
        wait: Duration,
        is_seen: bool,
        now: Timestamp,
    ) -> Timestamp {
        if !is_seen {
            // The time of a step that no pod could see begins now.
            return match has_passed(since, BEHIND, now) {
                true => now,
                false => since,
            };
        }
        if !has_passed(since, wait, now) || self.previous.take().is_some() {
            return since;
        }
        self.hand_over();
        now
    }

    fn hand_over(&mut self) {
        if let Some(key) = self.upcoming.take() {
            self.previous = Some(std::mem::replace(&mut self.current, key).public);
        }
    }
}

/// How long after the last step the next one follows by itself; none while all is at rest.
const fn wait(has_previous: bool, has_upcoming: bool) -> Option<Duration> {
    match (has_previous, has_upcoming) {
        (true, _) => Some(OVERLAP),
        (false, true) => Some(LEAD),
        (false, false) => None,
    }
}

fn has_passed(since: Timestamp, wait: Duration, now: Timestamp) -> bool {
    since.checked_add(wait).is_ok_and(|end| end <= now)
}

#[cfg(test)]
mod tests;

//! The entries of the Secret `<tenant>-api-keys`: which open a client's routes, and which cannot.
//!
//! The entry named after a client is issued by the operator where there is none. Entries
//! `<client>.<anything>` are further keys of that client, and the users': no client's name has a '.'.
//! Two of them the operator makes when it rotates a key: `<client>.upcoming`, until every pod knows it
//! and it takes the place of the key, and `<client>.previous`, which is what the key was.

use std::collections::BTreeMap;

use docket_crds::names::{PREVIOUS, UPCOMING};
use k8s_openapi::ByteString;
use secrecy::SecretString;

use crate::credentials::secret_value::SecretGenerator;

/// Shorter ones might be guessed: keys are compared by a fast hash.
const SHORTEST: usize = 32;
/// Nobody needs more, and every request carries one.
const LONGEST: usize = 256;
/// Keys of one client that are valid at once; each costs every request a comparison.
const MOST: usize = 16;

/// The keys that open one client's routes.
#[derive(Clone, Debug)]
pub struct ClientKeys {
    /// That of the entry named after the client; none where a user put one there that opens nothing.
    pub issued: Option<SecretString>,
    /// The one that will take its place; valid already.
    pub upcoming: Option<SecretString>,
    /// The one that it took the place of; valid still.
    pub previous: Option<SecretString>,
    /// Those that a user added.
    pub further: Vec<SecretString>,
}

impl ClientKeys {
    /// Every key that opens the client.
    pub fn all(&self) -> impl Iterator<Item = &SecretString> {
        self.issued
            .iter()
            .chain(&self.upcoming)
            .chain(&self.previous)
            .chain(&self.further)
    }

    /// Makes the key that will take the place of the one that was issued.
    pub fn rotate(&mut self, secrets: &mut dyn SecretGenerator) {
        if self.issued.is_some() && self.upcoming.is_none() {
            self.upcoming = Some(secrets.api_key());
        }
    }

    /// Puts the upcoming key in the place of the one that was issued.
    pub fn hand_out(&mut self) {
        if let Some(key) = self.upcoming.take() {
            self.previous = self.issued.replace(key);
        }
    }
}

/// The entries of the Secret, handed out to the clients they belong to.
#[derive(Debug)]
pub struct ApiKeys<'a> {
    entries: &'a BTreeMap<String, ByteString>,
    ignored: BTreeMap<&'a str, String>,
}

impl<'a> ApiKeys<'a> {
    /// Further keys belong to no client until one asks for them.
    #[must_use]
    pub fn new(entries: &'a BTreeMap<String, ByteString>) -> Self {
        let dotted = entries.keys().filter(|name| name.contains('.'));
        let ignored = dotted.map(|name| (name.as_str(), "no client has that name".to_owned()));
        Self {
            entries,
            ignored: ignored.collect(),
        }
    }

    /// The keys of `client`, its first one made by `secrets` where there is none.
    pub fn of_client(&mut self, client: &str, secrets: &mut dyn SecretGenerator) -> ClientKeys {
        let issued = match self.entries.get_key_value(client) {
            None => Some(secrets.api_key()),
            Some((name, value)) => self.usable(name, value),
        };
        let entries = self.entries;
        let (mut upcoming, mut previous) = (None, None);
        let mut further = Vec::new();
        for (name, value) in entries {
            if name
                .split_once('.')
                .is_none_or(|(owner, _)| owner != client)
            {
                continue;
            }
            self.ignored.remove(name.as_str());
            let ours = match name.split_once('.') {
                Some((_, UPCOMING)) => Some(&mut upcoming),
                Some((_, PREVIOUS)) => Some(&mut previous),
                _ => None,
            };
            if let Some(ours) = ours {
                *ours = self.usable(name, value);
            } else if further.len() + 1 == MOST {
                let why = format!("a client has at most {MOST} keys");
                self.ignored.insert(name, why);
            } else {
                further.extend(self.usable(name, value));
            }
        }
        ClientKeys {
            issued,
            upcoming,
            previous,
            further,
        }
    }

    /// What the operator made for `client`, which the spec no longer names, goes with it.
    pub fn leave(&mut self, client: &str) {
        for ours in [UPCOMING, PREVIOUS] {
            self.ignored.remove(format!("{client}.{ours}").as_str());
        }
    }

    /// The entries that open nothing, each with the reason, once every client has asked.
    #[must_use]
    pub fn ignored(&self) -> Vec<String> {
        let ignored = self.ignored.iter();
        ignored
            .map(|(name, why)| format!("{name} ({why})"))
            .collect()
    }

    fn usable(&mut self, name: &'a str, value: &ByteString) -> Option<SecretString> {
        match check(&value.0) {
            Ok(key) => Some(key.into()),
            Err(why) => {
                self.ignored.insert(name, why);
                None
            }
        }
    }
}

/// The key, or why no request could carry it or anyone might guess it.
fn check(value: &[u8]) -> Result<&str, String> {
    if !value.iter().all(u8::is_ascii_graphic) {
        return Err(match value.trim_ascii().len() == value.len() {
            true => "it must consist of printable ASCII without white space".into(),
            false => "there is white space around it, such as a newline at its end".into(),
        });
    }
    if !(SHORTEST..=LONGEST).contains(&value.len()) {
        return Err(format!("it must have {SHORTEST} to {LONGEST} characters"));
    }
    std::str::from_utf8(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::secret_value::RandomSecrets;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    fn entries(list: &[(&str, &str)]) -> BTreeMap<String, ByteString> {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), ByteString(value.as_bytes().to_vec())))
            .collect()
    }

    fn exposed(keys: &ClientKeys) -> Vec<&str> {
        keys.all().map(|key| key.expose_secret()).collect()
    }

    const OLD: &str = "old-key-of-globex-0123456789abcdef";
    const NEW: &str = "new-key-of-globex-0123456789abcdef";

    #[test]
    fn a_key_is_replaced_without_a_moment_in_which_no_key_is_valid() {
        for (secret, valid) in [
            (&[("globex", OLD)][..], &[OLD][..]),
            (&[("globex", OLD), ("globex.next", NEW)], &[OLD, NEW]),
            (&[("globex", NEW), ("globex.next", NEW)], &[NEW, NEW]),
            (&[("globex", NEW)], &[NEW]),
        ] {
            let entries = entries(secret);
            let mut keys = ApiKeys::new(&entries);
            assert_eq!(
                exposed(&keys.of_client("globex", &mut RandomSecrets)),
                valid
            );
            assert!(keys.ignored().is_empty());
        }
    }

    #[test]
    fn of_a_client_that_goes_only_what_users_added_is_left_to_mend() {
        let entries = entries(&[
            ("gone", OLD),
            ("gone.mine", OLD),
            ("gone.previous", OLD),
            ("gone.upcoming", NEW),
            ("typo.previous", OLD),
        ]);
        let mut keys = ApiKeys::new(&entries);
        keys.leave("gone");
        assert_eq!(
            keys.ignored(),
            [
                "gone.mine (no client has that name)",
                "typo.previous (no client has that name)"
            ]
        );
    }

    #[test]
    fn a_client_without_an_entry_gets_a_key() {
        let entries = entries(&[("globex.next", NEW)]);
        let keys = ApiKeys::new(&entries).of_client("globex", &mut RandomSecrets);
        let issued = keys.issued.as_ref().expect("a key").expose_secret();
        assert!(check(issued.as_bytes()).is_ok(), "{issued}");
        assert_eq!(exposed(&keys), [issued, NEW]);
    }

    #[test]
    fn a_rotation_makes_a_key_valid_before_it_is_handed_out_and_keeps_the_one_before() {
        let only_old = entries(&[("globex", OLD)]);
        let mut keys = ApiKeys::new(&only_old).of_client("globex", &mut RandomSecrets);
        keys.rotate(&mut RandomSecrets);
        let new = keys.upcoming.clone().expect("a new key");
        keys.rotate(&mut RandomSecrets);
        assert_eq!(
            keys.upcoming.as_ref().map(|key| key.expose_secret()),
            Some(new.expose_secret())
        );
        assert_eq!(exposed(&keys), [OLD, new.expose_secret()]);
        keys.hand_out();
        assert_eq!(exposed(&keys), [new.expose_secret(), OLD]);
        assert!(keys.upcoming.is_none());
    }

    #[test]
    fn a_key_of_one_client_is_never_anothers() {
        let entries = entries(&[("a", OLD), ("ab.next", NEW), ("a-b.next", NEW)]);
        let mut keys = ApiKeys::new(&entries);
        assert_eq!(exposed(&keys.of_client("a", &mut RandomSecrets)), [OLD]);
        assert_eq!(
            keys.ignored(),
            [
                "a-b.next (no client has that name)",
                "ab.next (no client has that name)"
            ]
        );
    }

    #[test]
    fn what_cannot_be_a_key_is_left_alone_with_a_reason_and_closes_nobody_else_out() {
        let long = "x".repeat(257);
        let newline = format!("{NEW}\n");
        let broken = [
            ("globex.bytes", "schlüssel-schlüssel-schlüssel-schlüssel"),
            ("globex.long", &long),
            ("globex.newline", &newline),
            ("globex.short", "short"),
            ("initech", "tiny"),
        ];
        let mut all = entries(&broken);
        all.extend(entries(&[("globex", OLD)]));
        let mut keys = ApiKeys::new(&all);
        assert_eq!(
            exposed(&keys.of_client("globex", &mut RandomSecrets)),
            [OLD]
        );
        assert!(
            keys.of_client("initech", &mut RandomSecrets)
                .issued
                .is_none(),
            "left alone"
        );
        let length = "it must have 32 to 256 characters";
        assert_eq!(
            keys.ignored(),
            [
                "globex.bytes (it must consist of printable ASCII without white space)".to_owned(),
                format!("globex.long ({length})"),
                "globex.newline (there is white space around it, such as a newline at its end)"
                    .to_owned(),
                format!("globex.short ({length})"),
                format!("initech ({length})"),
            ]
        );
    }

    #[test]
    fn a_client_has_a_bounded_number_of_keys() {
        let names: Vec<String> = (0..20).map(|n| format!("globex.{n:02}")).collect();
        let list: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), NEW)).collect();
        let entries = entries(&list);
        let mut keys = ApiKeys::new(&entries);
        assert_eq!(
            exposed(&keys.of_client("globex", &mut RandomSecrets)).len(),
            MOST
        );
        assert_eq!(keys.ignored().len(), 5);
    }

    proptest! {
        #[test]
        fn whatever_is_in_the_secret_a_valid_key_can_be_sent_in_a_header(value in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(key) = check(&value) {
                let header = http::HeaderValue::from_str(key).expect("a header's value");
                prop_assert_eq!(header.as_bytes(), &value);
            }
        }
    }
}

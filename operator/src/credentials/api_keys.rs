//! The entries of the Secret `<tenant>-api-keys`: which open a client's routes, and which cannot.
//!
//! The entry named after a client is issued by the operator where there is none. Entries
//! `<client>.<anything>` are further keys of that client, and the users': no client's name has a '.'.
//! Two of them the operator makes when it rotates a key: `<client>.upcoming`, until every pod knows it
//! and it takes the place of the key, and `<client>.previous`, which is what the key was.
//!
//! Entries `<client>.publishable.<workload>`, and the same with these two endings, are the operator's too:
//! there is one where the workload asks for it, and it goes when the workload does so no more.

use std::collections::BTreeMap;

use docket_contract::PUBLISHABLE_PREFIX;
use docket_crds::names::{PREVIOUS, PUBLISHABLE, UPCOMING, publishable_key_entry};
use k8s_openapi::ByteString;
use secrecy::SecretString;

use crate::credentials::secret_value::SecretGenerator;
use crate::text_form::TextForm;
use crate::validated_tenant::Publication;

/// Shorter ones might be guessed: keys are compared by a fast hash.
const SHORTEST: usize = 32;
/// Nobody needs more, and every request carries one.
const LONGEST: usize = 256;
/// Keys of one client that are valid at once; each costs every request a comparison.
const MOST: usize = 16;

/// A key that is issued, and what a rotation makes of it.
#[derive(Clone, Debug, Default)]
pub struct RotatingKey {
    /// The one that is handed out; none where a user put one there that opens nothing.
    pub issued: Option<SecretString>,
    /// The one that will take its place; valid already.
    pub upcoming: Option<SecretString>,
    /// The one that it took the place of; valid still.
    pub previous: Option<SecretString>,
}

impl RotatingKey {
    /// Those that are valid.
    pub fn all(&self) -> impl Iterator<Item = &SecretString> {
        let others = self.upcoming.iter().chain(&self.previous);
        self.issued.iter().chain(others)
    }

    /// Has `make` make the key that will take the place of the one that was issued.
    fn rotate(&mut self, make: impl FnOnce() -> SecretString) {
        if self.issued.is_some() && self.upcoming.is_none() {
            self.upcoming = Some(make());
        }
    }

    /// Puts the upcoming key in the place of the one that was issued.
    fn hand_out(&mut self) {
        if let Some(key) = self.upcoming.take() {
            self.previous = self.issued.replace(key);
        }
    }

    /// The place of the key whose entry has this ending.
    fn place(&mut self, ending: Option<&str>) -> Option<&mut Option<SecretString>> {
        match ending {
            None => Some(&mut self.issued),
            Some(UPCOMING) => Some(&mut self.upcoming),
            Some(PREVIOUS) => Some(&mut self.previous),
            Some(_) => None,
        }
    }
}

/// A publishable key, and what it is for.
#[derive(Clone, Debug)]
pub struct PublishableKey {
    /// What asks for it.
    pub publication: Publication,
    /// The key.
    pub key: RotatingKey,
}

/// The keys that open one client's routes.
#[derive(Clone, Debug, Default)]
pub struct ClientKeys {
    /// That of the entry named after the client.
    pub own: RotatingKey,
    /// Those that a user added.
    pub further: Vec<SecretString>,
    /// Those that pages show to everybody.
    pub publishable: Vec<PublishableKey>,
}

impl ClientKeys {
    /// Every key that opens all that is the client's.
    pub fn secret(&self) -> impl Iterator<Item = &SecretString> {
        self.own.all().chain(&self.further)
    }

    /// Makes the keys that will take the place of those that were issued.
    pub fn rotate(&mut self, secrets: &mut dyn SecretGenerator) {
        self.own.rotate(|| secrets.api_key());
        for published in &mut self.publishable {
            published.key.rotate(|| secrets.publishable_key());
        }
    }

    /// Whether a key is yet to be handed out.
    pub fn hands_out(&self) -> bool {
        let publishable = self.publishable.iter().map(|published| &published.key);
        let mut keys = std::iter::once(&self.own).chain(publishable);
        keys.any(|key| key.upcoming.is_some())
    }

    /// Puts the upcoming keys in the place of those that were issued.
    pub fn hand_out(&mut self) {
        self.own.hand_out();
        for published in &mut self.publishable {
            published.key.hand_out();
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

    /// The keys of `client`, and one for each of `publications`; the first ones made by `secrets` where there
    /// are none.
    pub fn of_client(
        &mut self,
        client: &str,
        publications: &[Publication],
        secrets: &mut dyn SecretGenerator,
    ) -> ClientKeys {
        let mut keys = ClientKeys::default();
        let publishable = publications.iter().map(|publication| PublishableKey {
            publication: publication.clone(),
            key: RotatingKey::default(),
        });
        keys.publishable.extend(publishable);
        let entries = self.entries;
        match entries.get_key_value(client) {
            None => keys.own.issued = Some(secrets.api_key()),
            Some((name, value)) => keys.own.issued = self.usable(name, value),
        }
        for (name, value) in entries {
            let Some((_, what)) = name.split_once('.').filter(|(owner, _)| *owner == client) else {
                continue;
            };
            self.ignored.remove(name.as_str());
            if let Some((workload, ending)) = publishable_entry(what) {
                let mut asked = keys.publishable.iter_mut();
                let asked = asked.find(|it| it.publication.workload == workload);
                if let Some(place) = asked.and_then(|it| it.key.place(ending)) {
                    *place = self.usable_in_pages(name, value);
                }
            } else if let Some(place) = keys.own.place(Some(what)) {
                *place = self.usable(name, value);
            } else if keys.further.len() + 1 == MOST {
                let why = format!("a client has at most {MOST} keys");
                self.ignored.insert(name, why);
            } else {
                keys.further.extend(self.usable(name, value));
            }
        }
        for published in &mut keys.publishable {
            let entry = publishable_key_entry(client, published.publication.workload);
            if !entries.contains_key(&entry) {
                published.key.issued = Some(secrets.publishable_key());
            }
        }
        keys
    }

    /// What the operator made for `client`, which the spec no longer names, goes with it.
    pub fn leave(&mut self, client: &str) {
        self.ignored.retain(|name, _| {
            let what = name.split_once('.').filter(|(owner, _)| *owner == client);
            what.is_none_or(|(_, what)| {
                ![UPCOMING, PREVIOUS].contains(&what) && publishable_entry(what).is_none()
            })
        });
    }

    /// The entries that open nothing, each with the reason, once every client has asked.
    #[must_use]
    pub fn ignored(&self) -> Vec<String> {
        let ignored = self.ignored.iter();
        ignored
            .map(|(name, why)| format!("{name} ({why})"))
            .collect()
    }

    /// A key of another form would look like a secret one to servers.
    fn usable_in_pages(&mut self, name: &'a str, value: &ByteString) -> Option<SecretString> {
        if value.0.starts_with(PUBLISHABLE_PREFIX.as_bytes()) {
            return self.usable(name, value);
        }
        let why = format!("it must begin with {PUBLISHABLE_PREFIX}");
        self.ignored.insert(name, why);
        None
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

/// Whether any of `entries` is a key that is yet to be handed out.
pub fn hands_out(entries: &BTreeMap<String, ByteString>) -> bool {
    let mut whats = entries
        .keys()
        .filter_map(|name| Some(name.split_once('.')?.1));
    whats.any(|what| {
        let publishable = publishable_entry(what);
        what == UPCOMING || publishable.is_some_and(|(_, ending)| ending == Some(UPCOMING))
    })
}

/// The workload that a publishable key is for, and what else its entry ends with: `what` stands behind the
/// name of the client.
fn publishable_entry(what: &str) -> Option<(&str, Option<&str>)> {
    let (kind, rest) = what.split_once('.')?;
    let parts = rest.split_once('.');
    let parts = parts.map_or((rest, None), |(workload, ending)| (workload, Some(ending)));
    (kind == PUBLISHABLE).then_some(parts)
}

/// The key, or why no request could carry it or anyone might guess it.
fn check(value: &[u8]) -> Result<&str, String> {
    let key = TextForm::line(LONGEST)
        .read(value)
        .map_err(|what| format!("it {what}"))?;
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it must consist of printable ASCII without white space".into());
    }
    if key.len() < SHORTEST {
        return Err(format!("it must have {SHORTEST} to {LONGEST} characters"));
    }
    Ok(key)
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
        keys.secret().map(|key| key.expose_secret()).collect()
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
                exposed(&keys.of_client("globex", &[], &mut RandomSecrets)),
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
            ("gone.publishable.orders", OLD),
            ("gone.publishable.orders.upcoming", OLD),
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
        let keys = ApiKeys::new(&entries).of_client("globex", &[], &mut RandomSecrets);
        let issued = keys.own.issued.as_ref().expect("a key").expose_secret();
        assert!(check(issued.as_bytes()).is_ok(), "{issued}");
        assert_eq!(exposed(&keys), [issued, NEW]);
    }

    #[test]
    fn a_rotation_makes_a_key_valid_before_it_is_handed_out_and_keeps_the_one_before() {
        let only_old = entries(&[("globex", OLD)]);
        let mut keys = ApiKeys::new(&only_old).of_client("globex", &[], &mut RandomSecrets);
        keys.rotate(&mut RandomSecrets);
        let new = keys.own.upcoming.clone().expect("a new key");
        keys.rotate(&mut RandomSecrets);
        assert_eq!(
            keys.own.upcoming.as_ref().map(|key| key.expose_secret()),
            Some(new.expose_secret())
        );
        assert_eq!(exposed(&keys), [OLD, new.expose_secret()]);
        keys.hand_out();
        assert_eq!(exposed(&keys), [new.expose_secret(), OLD]);
        assert!(keys.own.upcoming.is_none());
    }

    const PAGES: &str = "pk_key-of-globex-0123456789abcdef01";

    fn publication(workload: &'static str) -> Publication {
        Publication {
            workload,
            scope: "orders:write",
            origins: vec!["https://www.globex.example".into()],
        }
    }

    fn of_globex(entries: &BTreeMap<String, ByteString>, workloads: &[&'static str]) -> ClientKeys {
        let asked: Vec<Publication> = workloads.iter().map(|it| publication(it)).collect();
        ApiKeys::new(entries).of_client("globex", &asked, &mut RandomSecrets)
    }

    fn in_pages(keys: &ClientKeys) -> Vec<Vec<&str>> {
        let publishable = keys.publishable.iter();
        publishable
            .map(|it| it.key.all().map(|key| key.expose_secret()).collect())
            .collect()
    }

    #[test]
    fn a_publishable_key_is_made_where_one_is_asked_for_and_is_no_other_key() {
        let found = entries(&[
            ("globex", OLD),
            ("globex.publishable.orders", PAGES),
            ("globex.publishable.orders.previous", PAGES),
            ("globex.publishable.gone", PAGES),
            ("globex.publishable.gone.upcoming", PAGES),
        ]);
        let keys = of_globex(&found, &["orders", "tasks"]);
        assert_eq!(exposed(&keys), [OLD], "none of them is a secret key");
        let [orders, tasks] = &in_pages(&keys)[..] else {
            panic!("one for each that asks: {keys:?}");
        };
        assert_eq!(orders[..], [PAGES, PAGES]);
        let [made] = tasks[..] else {
            panic!("one is made: {keys:?}");
        };
        assert!(made.starts_with("pk_") && check(made.as_bytes()).is_ok());
        assert!(of_globex(&found, &[]).publishable.is_empty());
    }

    #[test]
    fn what_would_look_like_a_secret_key_is_no_publishable_one() {
        let found = entries(&[("globex", OLD), ("globex.publishable.orders", NEW)]);
        let mut keys = ApiKeys::new(&found);
        let of_client = keys.of_client("globex", &[publication("orders")], &mut RandomSecrets);
        assert_eq!(in_pages(&of_client), [Vec::<&str>::new()]);
        let why = "globex.publishable.orders (it must begin with pk_)";
        assert_eq!(keys.ignored(), [why]);
    }

    #[test]
    fn publishable_keys_are_rotated_as_the_others_are() {
        let found = entries(&[("globex", OLD), ("globex.publishable.orders", PAGES)]);
        let mut keys = of_globex(&found, &["orders"]);
        assert!(!keys.hands_out() && !hands_out(&found));
        keys.rotate(&mut RandomSecrets);
        assert!(keys.hands_out());
        let valid: Vec<String> = in_pages(&keys)[0].iter().map(|it| (*it).into()).collect();
        assert_eq!(valid[0], PAGES, "the new one is handed out to nobody yet");
        keys.hand_out();
        assert_eq!(in_pages(&keys)[0], [valid[1].as_str(), PAGES]);
        for (entry, is_upcoming) in [
            ("globex.upcoming", true),
            ("globex.publishable.orders.upcoming", true),
            ("globex.mine.upcoming", false),
            ("globex.publishable.upcoming", false),
        ] {
            assert_eq!(
                hands_out(&entries(&[(entry, PAGES)])),
                is_upcoming,
                "{entry}"
            );
        }
    }

    #[test]
    fn a_key_of_one_client_is_never_anothers() {
        let entries = entries(&[("a", OLD), ("ab.next", NEW), ("a-b.next", NEW)]);
        let mut keys = ApiKeys::new(&entries);
        assert_eq!(
            exposed(&keys.of_client("a", &[], &mut RandomSecrets)),
            [OLD]
        );
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
        let broken_line = format!("{NEW}\n{NEW}");
        let broken = [
            ("globex.bytes", "schlüssel-schlüssel-schlüssel-schlüssel"),
            ("globex.long", &long),
            ("globex.lines", &broken_line),
            ("globex.short", "short"),
            ("initech", "tiny"),
        ];
        let mut all = entries(&broken);
        all.extend(entries(&[("globex", OLD)]));
        let mut keys = ApiKeys::new(&all);
        assert_eq!(
            exposed(&keys.of_client("globex", &[], &mut RandomSecrets)),
            [OLD]
        );
        assert!(
            keys.of_client("initech", &[], &mut RandomSecrets)
                .own
                .issued
                .is_none(),
            "left alone"
        );
        let length = "it must have 32 to 256 characters";
        assert_eq!(
            keys.ignored(),
            [
                "globex.bytes (it must consist of printable ASCII without white space)".to_owned(),
                format!(
                    "globex.lines (it has a line break, behind {} bytes)",
                    NEW.len()
                ),
                "globex.long (it has 257 bytes, and may have 256)".to_owned(),
                format!("globex.short ({length})"),
                format!("initech ({length})"),
            ]
        );
    }

    #[test]
    fn the_end_of_the_line_is_no_part_of_a_key() {
        let key = format!("{NEW}\n");
        let entries = entries(&[("globex", &key)]);
        let mut keys = ApiKeys::new(&entries);
        assert_eq!(
            exposed(&keys.of_client("globex", &[], &mut RandomSecrets)),
            [NEW]
        );
        assert!(keys.ignored().is_empty());
    }

    #[test]
    fn a_client_has_a_bounded_number_of_keys() {
        let names: Vec<String> = (0..20).map(|n| format!("globex.{n:02}")).collect();
        let list: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), NEW)).collect();
        let entries = entries(&list);
        let mut keys = ApiKeys::new(&entries);
        assert_eq!(
            exposed(&keys.of_client("globex", &[], &mut RandomSecrets)).len(),
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

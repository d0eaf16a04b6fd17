use super::*;
use secrecy::{ExposeSecret as _, SecretString};

/// Makes keys of 1, 2, 3 …
#[derive(Default)]
struct Numbered(u8);

impl SecretGenerator for Numbered {
    fn password(&mut self) -> SecretString {
        unreachable!("a key is asked for")
    }

    fn seed(&mut self) -> [u8; 32] {
        self.0 += 1;
        [self.0; 32]
    }
}

const START: i64 = 1_000_000;

fn after(wait: Duration) -> Timestamp {
    let seconds = i64::try_from(wait.as_secs()).expect("not that long");
    Timestamp::from_second(START + seconds).expect("a time")
}

fn key(number: u8) -> PrivateKey {
    PrivateKey::from_seed([number; 32])
}

fn keys(current: u8, upcoming: Option<u8>, previous: Option<u8>) -> SigningKeys {
    SigningKeys {
        current: key(current),
        upcoming: upcoming.map(key),
        previous: previous.map(|number| key(number).public),
    }
}

/// The last step was at [`START`], and pods have seen it.
fn seen() -> LastStep {
    LastStep {
        rotated: Some(Rotated {
            at: after(Duration::ZERO),
            asked: None,
            revoked: None,
        }),
        was_rotated: true,
        is_seen: true,
    }
}

fn asks(value: &str) -> Asked {
    Asked {
        value: Some(value.into()),
        every: None,
        revoke: None,
    }
}

fn ids(keys: &SigningKeys) -> (String, Vec<String>) {
    let keys = keys.published();
    let all = keys.published.into_iter().map(|key| key.id).collect();
    (keys.signer.id, all)
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn each_step_of_a_rotation_follows_when_its_time_has_come_and_not_before() {
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    for (what, before, asked, wait, expected, is_stamped) in [
        (
            "all stays at rest",
            keys(7, None, None),
            None,
            year,
            keys(7, None, None),
            false,
        ),
        (
            "a key that is asked for is published and signs nothing",
            keys(7, None, None),
            Some("now"),
            SECOND,
            keys(7, Some(1), None),
            true,
        ),
        (
            "not yet published for long enough",
            keys(7, Some(8), None),
            None,
            LEAD - SECOND,
            keys(7, Some(8), None),
            false,
        ),
        (
            "published for long enough",
            keys(7, Some(8), None),
            None,
            LEAD,
            keys(8, None, Some(7)),
            true,
        ),
        (
            "tokens of the key before may be good",
            keys(8, None, Some(7)),
            None,
            OVERLAP - SECOND,
            keys(8, None, Some(7)),
            false,
        ),
        (
            "no token of the key before is good",
            keys(8, None, Some(7)),
            None,
            OVERLAP,
            keys(8, None, None),
            false,
        ),
        (
            "one thing after the other",
            keys(8, Some(9), Some(7)),
            None,
            OVERLAP,
            keys(8, Some(9), None),
            false,
        ),
    ] {
        let asked = asked.map_or_else(Asked::default, asks);
        let turn = before.turn(&asked, seen(), after(wait), &mut Numbered::default());
        assert_eq!(ids(&turn.keys), ids(&expected), "{what}");
        let stamp = if is_stamped { wait } else { Duration::ZERO };
        let rotated = turn.rotated.expect("it was rotated before");
        assert_eq!(rotated.at, after(stamp), "{what}");
    }
}

#[test]
fn a_step_that_no_pod_could_see_has_its_time_begin_anew() {
    for (before, wait) in [
        (keys(7, Some(8), None), LEAD),
        (keys(8, None, Some(7)), OVERLAP),
    ] {
        let unseen = || LastStep {
            is_seen: false,
            ..seen()
        };
        let late = after(wait * 2);
        let turn = before
            .clone()
            .turn(&Asked::default(), unseen(), late, &mut Numbered::default());
        assert_eq!(ids(&turn.keys), ids(&before));
        assert_eq!(turn.rotated.expect("a step").at, late);
        assert_eq!(turn.next, late.checked_add(wait).ok());
        // What was written a moment ago does not show yet in what the watches brought.
        let soon = after(BEHIND - SECOND);
        let turn = before.turn(&Asked::default(), unseen(), soon, &mut Numbered::default());
        assert_eq!(turn.rotated, seen().rotated);
    }
}

#[test]
fn a_rotation_waits_until_the_one_before_is_over_and_wakes_nobody_meanwhile() {
    let monthly = Asked {
        value: Some("now".into()),
        every: Some(Duration::from_secs(1)),
        revoke: None,
    };
    for before in [keys(7, Some(8), None), keys(8, None, Some(7))] {
        let wait = before.wait().expect("it is under way");
        let now = after(Duration::from_secs(60));
        let turn = before
            .clone()
            .turn(&monthly, seen(), now, &mut Numbered::default());
        assert_eq!(ids(&turn.keys), ids(&before));
        assert_eq!(turn.next, Some(after(wait)));
    }
}

#[test]
fn a_tenant_whose_keys_are_new_is_asked_for_no_others() {
    let nothing = || LastStep {
        rotated: None,
        was_rotated: false,
        is_seen: false,
    };
    let mut secrets = Numbered::default();
    let made = SigningKeys::read(&BTreeMap::new(), &mut secrets);
    let turn = made.turn(&asks("a"), nothing(), after(SECOND), &mut secrets);
    assert_eq!(secrets.0, 1);
    assert_eq!(ids(&turn.keys), ids(&keys(1, None, None)));
    let rotated = turn.rotated.expect("who asked");
    assert_eq!(rotated.asked.as_deref(), Some("a"));
    let last = LastStep {
        rotated: Some(rotated),
        ..seen()
    };
    let turn = turn.keys.turn(&asks("a"), last, after(LEAD), &mut secrets);
    assert_eq!((secrets.0, turn.next), (1, None));
}

#[test]
fn what_a_secret_holds_is_read_and_what_it_lacks_is_made() {
    let entry = |name: &str, value: String| (name.to_owned(), ByteString(value.into_bytes()));
    let pem = |number| key(number).pem.expose_secret().to_owned();
    let current = entry(CURRENT, pem(7));
    let upcoming = entry(UPCOMING, pem(8));
    let previous = entry(PREVIOUS, key(9).public.x());
    let broken = entry(CURRENT, "open sesame".into());
    for (what, entries, expected, made) in [
        ("nothing", vec![], keys(1, None, None), 1),
        (
            "all",
            vec![current.clone(), upcoming.clone(), previous.clone()],
            keys(7, Some(8), Some(9)),
            0,
        ),
        (
            "a key that was taken away",
            vec![previous],
            keys(1, None, Some(9)),
            1,
        ),
        (
            "the next one steps in",
            vec![upcoming],
            keys(8, None, None),
            0,
        ),
        ("what is no key", vec![broken], keys(1, None, None), 1),
    ] {
        let mut secrets = Numbered::default();
        let read = SigningKeys::read(&entries.into_iter().collect(), &mut secrets);
        assert_eq!(ids(&read), ids(&expected), "{what}");
        assert_eq!(secrets.0, made, "{what}");
    }
}

#[test]
fn pods_see_the_keys_when_the_same_one_signs_and_the_same_are_published() {
    let now = keys(7, Some(8), None);
    assert!(now.are_in(&now.published()));
    for other in [
        keys(7, None, None),
        keys(8, None, Some(7)),
        keys(7, Some(9), None),
    ] {
        assert!(!now.are_in(&other.published()));
    }
}

#[test]
fn the_secret_itself_is_read_when_a_step_may_be_due_and_the_cache_is_enough_before() {
    let entries = |names: &[&str]| {
        let empty = |name: &&str| ((*name).to_owned(), ByteString::default());
        names.iter().map(empty).collect::<BTreeMap<_, _>>()
    };
    for (names, asked, wait, may) in [
        (&[CURRENT][..], None, OVERLAP, false),
        (&[CURRENT], Some("now"), SECOND, true),
        (&[CURRENT, UPCOMING], Some("now"), LEAD - SECOND, false),
        (&[CURRENT, UPCOMING], None, LEAD, true),
        (&[CURRENT, PREVIOUS], Some("now"), OVERLAP - SECOND, false),
        (&[CURRENT, PREVIOUS], None, OVERLAP, true),
    ] {
        let asked = asked.map_or_else(Asked::default, asks);
        let last = seen().rotated;
        let found = SigningKeys::may_change(&entries(names), &asked, last, after(wait));
        assert_eq!(found, may, "{names:?} {asked:?} {wait:?}");
    }
    let asked = Asked::default();
    assert!(SigningKeys::may_change(
        &BTreeMap::new(),
        &asked,
        None,
        after(SECOND)
    ));
}

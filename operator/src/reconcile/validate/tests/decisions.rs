//! Whole decisions, by table: what is issued, when, and to whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use docket_crds::annotations;
use k8s_openapi::ByteString;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::super::*;
use crate::credentials::certificate::Certificate;
use crate::credentials::ed25519::PrivateKey;
use crate::credentials::signing_keys::SigningKeys;
use crate::database::Inspection;
use crate::memory::{Inspected, InspectionKey};
use crate::validated_tenant::example::connection;
use crate::validated_tenant::{Publication, Workloads};

const NOON: &str = "2026-11-28T12:00:00Z";
const PASSWORD: &str = "password-that-was-issued-before-0";
const KEY: &str = "key-that-was-issued-before-0123456";

/// Counts what it makes.
#[derive(Default)]
struct Numbered(usize);

impl SecretGenerator for Numbered {
    fn password(&mut self) -> SecretString {
        self.0 += 1;
        format!("made-{}", self.0).into()
    }

    fn seed(&mut self) -> [u8; 32] {
        self.0 += 1;
        [0; 32]
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

fn schema() -> Identity {
    Identity::of("acme", "acme", "globex")
}

/// The tenant `acme` with the client `globex`, and what a user changed of it.
fn tenant(
    annotations: serde_json::Value,
    credentials: serde_json::Value,
) -> Identified<DocumentTenant> {
    let tenant = serde_json::from_value::<DocumentTenant>(json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
        "metadata": {"name": "acme", "namespace": "acme", "uid": "u", "generation": 1, "annotations": annotations},
        "spec": {"clients": [{"name": "globex"}], "credentials": credentials,
            "database": {"secretRef": {"name": "d"}},
            "workloads": {"documents": {"storage": {"s3": {"bucket": "b", "endpoint": "http://s", "secretRef": {"name": "s"}}}}}},
    }));
    Identified::new(Arc::new(tenant.expect("a tenant"))).expect("it has an identity")
}

fn issued(value: &str) -> Issued {
    Issued {
        entries: [("globex".to_owned(), ByteString(value.into()))].into(),
        rotated: Some(Rotated {
            at: at("2026-11-01T12:00:00Z"),
            asked: None,
            revoked: None,
        }),
        was_rotated: false,
    }
}

/// What is seen of a tenant of which nothing is there yet.
fn nothing() -> Dereferenced {
    let connection = connection();
    Dereferenced {
        occasion: InspectionKey::of(&tenant(json!({}), json!({})), &connection, &[]),
        connection,
        workloads: Workloads::default(),
        certificate: None,
        issuer_ca: None,
        telemetry: Ok(telemetry::Credentials::default()),
        inspected: Inspected::now(Inspection::new()),
        found_content: Default::default(),
        credentials: Issued::default(),
        api_keys: Issued::default(),
        signing_keys: Issued::default(),
        seen_signing_keys: None,
        replicas: None,
        nothing_was_issued: true,
        gateway_api: true,
        prometheus_rules: false,
        pod_monitors: false,
    }
}

/// What is seen of a tenant that is as it should be.
fn steady() -> Dereferenced {
    let owner = docket_schema::Owner {
        namespace: "acme".into(),
        tenant: "acme".into(),
        tenant_uid: "u".into(),
        client: "globex".into(),
    };
    let hash = fingerprint(&PASSWORD.into());
    let content = ContentLocations::default();
    let row = ClientRow::provisioned(&schema(), &owner, (60, 397), hash, &[], content);
    Dereferenced {
        inspected: Inspected::now(BTreeMap::from([(schema().schema, row)])),
        credentials: issued(PASSWORD),
        api_keys: issued(KEY),
        ..nothing()
    }
}

/// The client of a decision at `now`, and how many secrets were made for it.
fn decided(
    tenant: &Identified<DocumentTenant>,
    seen: &Dereferenced,
    now: &str,
) -> (ValidatedTenant, usize) {
    let mut secrets = Numbered::default();
    let wanted = validate(tenant, seen, &Images::default(), at(now), &mut secrets);
    (wanted.expect("no claim is refused"), secrets.0)
}

#[test]
fn secrets_are_made_only_for_whom_they_are_missing() {
    let plain = tenant(json!({}), json!({}));
    let lost_key = Dereferenced {
        api_keys: Issued::default(),
        ..steady()
    };
    for (what, seen, made) in [
        ("a new client gets a password and a key", nothing(), 2),
        ("one that has both keeps them", steady(), 0),
        ("a key that was removed is made anew", lost_key, 1),
    ] {
        let (wanted, count) = decided(&plain, &seen, NOON);
        assert_eq!(count, made, "{what}");
        assert_eq!(wanted.clients.len(), 1, "{what}");
    }
    let (wanted, _) = decided(&plain, &steady(), NOON);
    assert_eq!(wanted.clients[0].password.expose_secret(), PASSWORD);
    assert_eq!(wanted.clients[0].provision, None);
}

#[test]
fn who_takes_data_over_is_not_yet_said_to_adopt_for_too_long() {
    let mut adopting = DocumentTenant::clone(&tenant(json!({}), json!({})).object());
    adopting.spec.clients[0].adopt = true;
    let adopting = Identified::new(Arc::new(adopting)).expect("it has an identity");
    let mut retained = steady();
    let rows = retained.inspected.inspection.values_mut();
    let known = rows.filter_map(|row| row.registered.as_mut());
    known.for_each(|row| row.state = State::Retained);
    for (what, seen, expected) in [
        ("nothing is there", nothing(), false),
        ("it takes data over", retained, false),
        ("it has its data", steady(), true),
    ] {
        let (wanted, _) = decided(&adopting, &seen, NOON);
        let mut notices = wanted.database_notices.iter();
        let is_said = notices.any(|notice| notice.reason == "AdoptLeftIn");
        assert_eq!(is_said, expected, "{what}");
    }
}

#[test]
fn a_publishable_key_is_made_once_for_each_client_while_a_workload_asks_for_it() {
    let publication = Publication {
        workload: "orders",
        scope: "orders:write",
        origins: vec!["https://www.globex.example".into()],
    };
    let asking = |mut seen: Dereferenced| {
        seen.workloads.publications.push(publication.clone());
        seen
    };
    let mut issued = steady();
    let entry = names::publishable_key_entry("globex", "orders");
    let key = ByteString(format!("pk_{KEY}").into());
    issued.api_keys.entries.insert(entry.clone(), key.clone());
    let mut upcoming = asking(steady());
    let next = names::upcoming_key_entry(&entry);
    upcoming
        .api_keys
        .entries
        .extend([(entry, key.clone()), (next, key)]);
    let asked = json!({annotations::ROTATE_API_KEYS: "now"});
    for (what, seen, annotations, made, keys) in [
        ("nobody asks for one", steady(), json!({}), 0, 0),
        ("it is asked for", asking(steady()), json!({}), 1, 1),
        ("it is there", asking(issued), json!({}), 0, 1),
        ("and it is rotated", asking(steady()), asked.clone(), 3, 2),
        ("but not twice at once", upcoming, asked, 0, 2),
    ] {
        let (wanted, count) = decided(&tenant(annotations, json!({})), &seen, NOON);
        let publishable = wanted.clients[0].keys.publishable.iter();
        assert_eq!(
            publishable.flat_map(|it| it.key.all()).count(),
            keys,
            "{what}"
        );
        assert_eq!(count, made, "{what}");
        assert!(
            !wanted.notices.iter().any(|it| it.reason == "KeysIgnored"),
            "{what}"
        );
    }
}

#[test]
fn a_rotation_is_due_when_it_is_asked_for_or_its_time_has_come() {
    let asked = json!({annotations::ROTATE: "now"});
    let monthly = json!({"rotation": "27d"});
    for (what, annotations, credentials, now, rotates) in [
        ("nobody asks", json!({}), json!({}), NOON, false),
        ("an annotation asks", asked, json!({}), NOON, true),
        (
            "a second before its time",
            json!({}),
            monthly.clone(),
            "2026-11-28T11:59:59Z",
            false,
        ),
        ("its time has come", json!({}), monthly, NOON, true),
    ] {
        let (wanted, made) = decided(&tenant(annotations, credentials), &steady(), now);
        let client = &wanted.clients[0];
        let expected = match rotates {
            true => schema().rotated().role,
            false => schema().role,
        };
        assert_eq!(client.identity.role, expected, "{what}");
        assert_eq!(made, usize::from(rotates), "{what}");
        let rotated = rotates.then(|| at(now));
        assert_eq!(wanted.rotated.map(|last| last.at), rotated, "{what}");
    }
}

#[test]
fn a_rotation_waits_for_the_one_before() {
    let mut seen = steady();
    for row in seen.inspected.inspection.values_mut() {
        row.logins.push(schema().rotated().role);
    }
    let asked = tenant(json!({annotations::ROTATE: "now"}), json!({}));
    let (wanted, made) = decided(&asked, &seen, NOON);
    assert_eq!(wanted.clients[0].identity, schema());
    assert_eq!(made, 0);
}

#[test]
fn a_certificate_is_out_of_date_by_the_clock_that_was_passed_in() {
    let seen = Dereferenced {
        certificate: Some(Certificate {
            tls: docket_contract::Tls {
                certificate: "certificate".into(),
                key: "key".into(),
            },
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at(NOON),
        }),
        ..steady()
    };
    for (now, expired) in [(NOON, false), ("2026-11-28T12:00:01Z", true)] {
        let (wanted, _) = decided(&tenant(json!({}), json!({})), &seen, now);
        let reasons: Vec<_> = wanted.notices.iter().map(|notice| notice.reason).collect();
        assert_eq!(reasons.contains(&"CertificateExpired"), expired, "{now}");
    }
}

#[test]
fn the_same_is_decided_of_the_same() {
    let tenant = tenant(json!({}), json!({"apiKeyRotation": "12h"}));
    for seen in [nothing(), steady()] {
        let both = [(), ()].map(|()| format!("{:?}", decided(&tenant, &seen, NOON)));
        assert_eq!(both[0], both[1]);
    }
}

/// The tenant with `auth` in its spec.
fn with_auth(auth: serde_json::Value) -> Identified<DocumentTenant> {
    let plain = tenant(json!({}), json!({}));
    let mut changed = DocumentTenant::clone(&plain);
    changed.spec.api.auth = serde_json::from_value(auth).expect("how callers are authenticated");
    Identified::new(Arc::new(changed)).expect("it has an identity")
}

#[test]
fn a_tenant_that_issues_tokens_gets_a_key_and_the_address_of_its_api_for_a_name() {
    let (without, made) = decided(&with_auth(json!({})), &steady(), NOON);
    assert!(without.issuer.is_none() && without.auth.issuer.is_none());
    assert_eq!(made, 0);
    let named = json!({"issuer": {"url": "https://acme.example", "tokenLifetime": "8h"}});
    for (auth, url, seconds) in [
        (json!({"issuer": {}}), "http://acme-api.acme.svc", 900),
        (named, "https://acme.example", 8 * 3600),
    ] {
        let (with, made) = decided(&with_auth(auth), &steady(), NOON);
        assert_eq!(made, 1);
        let told = with.auth.issuer.expect("an issuer");
        let lifetime = told.token_lifetime_seconds.get();
        assert_eq!((&*told.url, lifetime), (url, seconds));
        assert!(with.issuer.is_some_and(|issuer| issuer.rotated.is_none()));
        assert_eq!(with.next_rotation, None);
    }
}

#[test]
fn a_key_that_pods_have_seen_for_long_enough_signs_and_one_that_they_have_not_does_not() {
    let key = |number| PrivateKey::from_seed([number; 32]);
    let entry = |name: &str, number| {
        let pem = key(number).pem.expose_secret().as_bytes().to_vec();
        (name.to_owned(), ByteString(pem))
    };
    let entries = BTreeMap::from([entry(names::CURRENT, 7), entry(names::UPCOMING, 8)]);
    let published = SigningKeys::read(&entries, &mut Numbered::default()).published();
    for (seen_by_pods, signs) in [(Some(published), 8), (None, 7)] {
        let seen = Dereferenced {
            signing_keys: Issued {
                entries: entries.clone(),
                rotated: Some(Rotated {
                    at: at("2026-11-28T11:00:00Z"),
                    asked: None,
                    revoked: None,
                }),
                was_rotated: true,
            },
            seen_signing_keys: seen_by_pods,
            ..steady()
        };
        let (wanted, made) = decided(&with_auth(json!({"issuer": {}})), &seen, NOON);
        assert_eq!(made, 0);
        let issuer = wanted.issuer.expect("an issuer");
        assert_eq!(issuer.keys.current.public, key(signs).public);
        assert_eq!(issuer.rotated.map(|last| last.at), Some(at(NOON)));
        assert!(wanted.next_rotation > Some(at(NOON)));
    }
}

#[test]
fn two_issuers_of_one_name_are_refused() {
    let twice = with_auth(json!({"mode": "Jwt", "issuer": {},
        "jwt": {"issuer": "http://acme-api.acme.svc", "audience": "docket"}}));
    let mut secrets = Numbered::default();
    let refused = validate(
        &twice,
        &steady(),
        &Images::default(),
        at(NOON),
        &mut secrets,
    );
    let problem = refused.expect_err("it is the user's turn").problem();
    assert_eq!(problem.reason, "IssuerNamedTwice");
}

//! Text that no program behind it is made for, in every Secret and in a spec that was stored before there was a rule:
//! said on a condition of that tenant, and in nobody else's way.

use std::collections::BTreeMap;

use docket_crds::{ConditionType, DocumentTenant, labels, names};
use docket_operator::error::Error;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::postgres::{PASSWORD, Postgres};
use crate::telemetry::certificate;

const TENANT: &str = "/apis/docket.dev/v1alpha1/namespaces/acme/documenttenants/acme";
/// Another one, with Secrets of its own.
const OTHER: &str = "/apis/docket.dev/v1alpha1/namespaces/acme/documenttenants/initrode";

/// What is made of the value of a key, and whether one of a line, or one of several, is still good.
type Change = (&'static str, fn(&[u8]) -> Vec<u8>, bool, bool);

const CHANGES: [Change; 5] = [
    (
        "the end of a line",
        |value| [value, b"\n"].concat(),
        true,
        true,
    ),
    ("a line break", |value| with(value, b"\n"), false, true),
    ("a NUL character", |value| with(value, b"\0"), false, false),
    (
        "a megabyte",
        |value| value.repeat((1 << 20) / value.len() + 1),
        false,
        false,
    ),
    (
        "bytes that are no text",
        |value| with(value, b"\xff"),
        false,
        false,
    ),
];

/// `value` with `what` behind its first half.
fn with(value: &[u8], what: &[u8]) -> Vec<u8> {
    let (first, second) = value.split_at(value.len() / 2);
    [first, what, second].concat()
}

/// Every Secret that a tenant can name, with every key that is read of it.
fn secrets(postgres: &Postgres) -> BTreeMap<&'static str, Vec<(&'static str, String)>> {
    let mut database = postgres.secret("postgres", PASSWORD);
    database.push(("port", "5432".into()));
    let [chain, ca, key] = certificate(2000..2999);
    BTreeMap::from([
        ("docket-database", database),
        (
            "docket-s3",
            vec![
                ("AWS_ACCESS_KEY_ID", "id-of-a-key".into()),
                ("AWS_SECRET_ACCESS_KEY", "the-key-itself".into()),
            ],
        ),
        ("model", vec![("apiKey", "a-key".into())]),
        ("tls", vec![chain.clone(), key.clone()]),
        ("issuer", vec![ca.clone()]),
        ("headers", vec![("authorization", "Bearer one".into())]),
        ("gateway", vec![ca]),
        ("collector", vec![chain, key]),
    ])
}

/// A tenant that names all of `secrets`, and another that names none of them.
async fn tenants(postgres: &Postgres) -> Cluster {
    let cluster = Cluster::new(&["globex"], &postgres.secret("postgres", PASSWORD));
    cluster.put_copy_of_tenant("initrode");
    let mut other = cluster.get(OTHER);
    other["spec"]["database"]["secretRef"]["name"] = "other-database".into();
    other["spec"]["workloads"]["documents"]["storage"]["s3"]["secretRef"]["name"] =
        "other-s3".into();
    cluster.put(OTHER, other);
    cluster.put_secret("other-database", &postgres.secret("postgres", PASSWORD));
    let s3 = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
    ];
    cluster.put_secret("other-s3", &s3);
    for (name, entries) in secrets(postgres) {
        cluster.put_secret(name, &entries);
    }
    cluster.allow_secret_as("headers", labels::TELEMETRY_HEADERS);
    cluster.allow_secret_as("model", labels::MODEL_KEY);
    let name = |name: &str| json!({"name": name});
    cluster.change(json!({"spec": {
        "workloads": {"documents": {"summarizer": {"mode": "OpenAI", "openai": {
            "url": "https://models.example.com/v1", "model": "m", "secretRef": name("model"), "timeout": "30s"}}}},
        "api": {
            "tls": {"secretRef": name("tls")},
            "auth": {"mode": "Jwt", "issuer": {"tokenLifetime": "15m"}, "jwt": {
                "issuer": "https://login.example.com", "audience": "docket", "caSecretRef": name("issuer")}},
        },
        "telemetry": {"endpoint": "https://gateway:4317", "headersSecretRef": name("headers"),
            "tls": {"caSecretRef": name("gateway"), "certificateSecretRef": name("collector")}},
    }}));
    cluster.settle().await;
    cluster
}

/// The sentences of conditions that say that a Secret or the spec cannot be used.
fn refusals(cluster: &Cluster, path: &str) -> Vec<String> {
    let tenant: DocumentTenant = serde_json::from_value(cluster.get(path)).expect("a tenant");
    let conditions = tenant.status.unwrap_or_default().conditions;
    let reasons = ["SecretInvalid", "SpecInvalid", "KeysIgnored"];
    let refused = conditions
        .into_iter()
        .filter(|it| reasons.contains(&&*it.reason));
    refused.map(|it| it.message).collect()
}

/// The other tenant is reconciled, and has nothing to complain about.
async fn other_goes_on(cluster: &Cluster, context: &str) {
    let reconciled = cluster.reconcile_tenant(OTHER).await;
    assert!(reconciled.is_ok(), "{context}: {reconciled:?}");
    assert_eq!(refusals(cluster, OTHER), Vec::<String>::new(), "{context}");
}

#[tokio::test]
async fn whatever_a_key_of_a_secret_holds_is_said_by_its_name_and_in_no_other_tenants_way() {
    let postgres = Postgres::start();
    let cluster = tenants(&postgres).await;
    let good = secrets(&postgres);
    let named: Vec<String> = cluster
        .tenant()
        .spec
        .secrets()
        .map(|it| it.name.clone())
        .collect();
    assert!(named.iter().all(|name| good.contains_key(&**name)) && named.len() == good.len());
    for (secret, entries) in &good {
        for (at, (key, value)) in entries.iter().enumerate() {
            for (what, change, line_is_good, lines_are_good) in CHANGES {
                let context = format!("{key} of {secret} with {what}");
                let changed = change(value.as_bytes());
                let mut bad: Vec<(&str, Vec<u8>)> = entries
                    .iter()
                    .map(|(key, value)| (*key, value.clone().into_bytes()))
                    .collect();
                bad[at].1 = changed;
                cluster.put_secret(secret, &bad);
                let reconciled = cluster.reconcile().await;
                assert!(
                    !matches!(reconciled, Err(Error::Panicked(_))),
                    "{context}: {reconciled:?}"
                );
                let is_pem = value.starts_with("-----BEGIN");
                let told = refusals(&cluster, TENANT);
                if if is_pem { lines_are_good } else { line_is_good } {
                    assert_eq!(told, Vec::<String>::new(), "{context}");
                } else {
                    let ready = cluster.condition(ConditionType::Ready);
                    assert_eq!(
                        (&*ready.0, &*ready.1),
                        ("False", "SecretInvalid"),
                        "{context}"
                    );
                    assert!(
                        ready.2.contains(*key) && ready.2.contains(secret),
                        "{context}: {}",
                        ready.2
                    );
                    let is_shown = ready.2.contains(&**value) && value.len() > 5;
                    assert!(!is_shown && ready.2.len() < 500, "{context}: {}", ready.2);
                }
                other_goes_on(&cluster, &context).await;
            }
            cluster.put_secret(secret, entries);
            cluster.settle().await;
            assert_eq!(refusals(&cluster, TENANT), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn what_somebody_writes_into_secrets_of_ours_is_told_or_made_anew() {
    let postgres = Postgres::start();
    let cluster = tenants(&postgres).await;
    let names = [
        names::credentials_secret("acme"),
        names::api_keys_secret("acme"),
        names::signing_keys_secret("acme"),
    ];
    for secret in &names {
        let path = format!("/api/v1/namespaces/acme/secrets/{secret}");
        let keys = cluster.get(&path)["data"]
            .as_object()
            .expect("entries")
            .clone();
        for key in keys.keys() {
            for (what, change, ..) in CHANGES {
                let context = format!("{key} of {secret} with {what}");
                let value = cluster.secret(secret, key).unwrap_or_default();
                cluster.put_entry(secret, key, &change(value.as_bytes()));
                let reconciled = cluster.reconcile().await;
                assert!(
                    !matches!(reconciled, Err(Error::Panicked(_))),
                    "{context}: {reconciled:?}"
                );
                let now = cluster.secret(secret, key);
                let is_sound = now.is_some_and(|now| !now.contains('\0') && now.len() < 2048);
                let told = refusals(&cluster, TENANT);
                let is_told = told
                    .iter()
                    .any(|it| it.contains(key.as_str()) && it.len() < 500);
                assert!(is_sound || is_told, "{context}: {told:?}");
                other_goes_on(&cluster, &context).await;
                cluster.put_entry(secret, key, value.as_bytes());
            }
        }
    }
}

#[tokio::test]
async fn a_spec_that_was_stored_before_the_rule_is_said_in_a_sentence_also_when_it_is_deleted() {
    let postgres = Postgres::start();
    let cluster = tenants(&postgres).await;
    let s3 =
        |fields: Value| json!({"spec": {"workloads": {"documents": {"storage": {"s3": fields}}}}});
    let sentence =
        "Correct spec.workloads.documents.storage.s3.region: it has a line break, behind 12 bytes.";
    cluster.change(s3(json!({"region": "eu-central-1\n"})));
    cluster.reconcile().await.expect("it is the user's turn");
    assert_eq!(
        cluster.condition(ConditionType::Ready),
        ("False".into(), "SpecInvalid".into(), sentence.into())
    );
    other_goes_on(&cluster, "the region").await;

    // The operator is a new one, and remembers no other bucket.
    cluster.change(json!({"spec": {"database": {"deletionPolicy": "Delete"}},
        "metadata": {"deletionTimestamp": "2026-11-21T12:00:00Z"}}));
    cluster.forget_tenants();
    for _ in 0..2 {
        cluster.reconcile().await.expect("it is the user's turn");
    }
    let (status, reason, message) = cluster.condition(ConditionType::Ready);
    assert_eq!((&*status, &*reason), ("False", "SpecInvalid"));
    assert!(
        message.starts_with(sentence) && message.contains("finalizer"),
        "{message}"
    );
    other_goes_on(&cluster, "the deletion").await;
}

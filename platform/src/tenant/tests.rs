use docket_contract::hash_api_key;
use serde_json::{Value, json};

use super::Tenant;
use crate::error::Error;
use crate::middleware::auth::Actor;

fn config(mode: &str) -> Value {
    json!({
        "tenant": "acme",
        "namespace": "acme",
        "database": {"host": "localhost", "port": 5432, "dbname": "docket", "sslMode": "prefer"},
        "auth": {"mode": mode},
        "clients": [
            {"name": "globex", "schema": "s1", "role": "r1", "password": "p1",
             "apiKeyHashes": [hash_api_key("old").0, hash_api_key("new").0]},
            {"name": "initech", "schema": "s2", "role": "r2", "password": "p2",
             "apiKeyHashes": [hash_api_key("other").0]},
        ],
    })
}

fn tenant(config: Value) -> anyhow::Result<Tenant> {
    Tenant::try_from(serde_json::from_value::<docket_contract::TenantConfig>(
        config,
    )?)
}

fn refusal(config: Value) -> String {
    tenant(config).expect_err("a refusal").to_string()
}

#[test]
fn every_current_key_of_a_client_opens_it() {
    let tenant = tenant(config("ApiKey")).expect("a tenant");
    for key in ["old", "new"] {
        let (client, actor) = tenant
            .authenticate(Some("globex"), Some(key.as_bytes()))
            .expect("opens");
        assert_eq!(client.name, "globex");
        assert_eq!(actor, Actor::of_key(&hash_api_key(key).0));
    }
}

#[test]
fn another_clients_key_a_wrong_key_and_an_unknown_client_are_answered_alike() {
    let tenant = tenant(config("ApiKey")).expect("a tenant");
    for (client, key) in [
        ("globex", "other"),
        ("globex", "wrong"),
        ("globex", ""),
        ("nobody", "other"),
    ] {
        let error = tenant
            .authenticate(Some(client), Some(key.as_bytes()))
            .expect_err("refused");
        assert!(matches!(error, Error::Forbidden), "{client} {key}");
    }
    assert!(matches!(
        tenant.authenticate(Some("globex"), Some(b"\xff")),
        Err(Error::Forbidden)
    ));
}

#[test]
fn without_a_key_nobody_learns_whether_a_client_exists() {
    let tenant = tenant(config("ApiKey")).expect("a tenant");
    for client in ["globex", "nobody"] {
        assert!(matches!(
            tenant.authenticate(Some(client), None),
            Err(Error::Unauthorized)
        ));
    }
}

#[test]
fn mode_none_asks_for_no_key() {
    let tenant = tenant(config("None")).expect("a tenant");
    assert!(tenant.authenticate(Some("globex"), None).is_ok());
    assert!(matches!(
        tenant.authenticate(Some("nobody"), None),
        Err(Error::NotFound("client"))
    ));
}

#[test]
fn a_file_that_makes_no_sense_is_refused_with_a_sentence() {
    let mut twice = config("ApiKey");
    twice["clients"][1]["name"] = json!("globex");
    assert_eq!(refusal(twice), "client globex is named twice");

    assert_eq!(refusal(config("Jwt")), "mode Jwt needs an issuer");

    let mut short = config("ApiKey");
    short["clients"][0]["apiKeyHashes"] = json!(["abc"]);
    assert_eq!(
        refusal(short),
        "client globex: an API key hash must be 64 hex digits"
    );
}

#[test]
fn a_client_that_no_key_opens_is_closed_and_the_others_are_served() {
    let mut keyless = config("ApiKey");
    keyless["clients"][0]["apiKeyHashes"] = json!([]);
    let tenant = tenant(keyless).expect("a tenant");
    for key in ["old", ""] {
        let refused = tenant.authenticate(Some("globex"), Some(key.as_bytes()));
        assert!(matches!(refused, Err(Error::Forbidden)));
    }
    assert!(tenant.authenticate(Some("initech"), Some(b"other")).is_ok());
}

#[test]
fn a_missing_file_is_named() {
    let error = Tenant::load("missing/tenant.json".as_ref()).expect_err("no file");
    assert!(format!("{error:#}").contains("missing/tenant.json cannot be read"));
}

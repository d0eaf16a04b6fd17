use super::example::{X, issuer, key};
use super::*;
use serde_json::Value;

#[test]
fn the_public_keys_are_published_and_nothing_else() {
    let issuer = issuer(Duration::from_secs(60));
    assert!(matches!(issuer.published(), Err(Error::IssuerUnavailable)));
    assert!(issuer.take(&key(1)).expect("usable keys"));
    assert!(!issuer.take(&key(1)).expect("the same keys"));
    let published: Value =
        serde_json::from_slice(&issuer.published().expect("keys")).expect("JSON");
    let jwk =
        json!({"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "1", "use": "sig", "alg": "EdDSA"});
    assert_eq!(published, json!({"keys": [jwk]}));
}

#[test]
fn keys_that_cannot_be_used_leave_the_last_ones_as_they_are() {
    let issuer = issuer(Duration::from_secs(60));
    issuer.take(&key(1)).expect("usable keys");
    let changed = |change: fn(&mut SigningKeys)| {
        let mut keys = key(2);
        change(&mut keys);
        keys
    };
    for (keys, why) in [
        (
            changed(|keys| keys.published.clear()),
            "no key that can check",
        ),
        (
            changed(|keys| keys.signer.id = "3".into()),
            "is not published",
        ),
        (
            changed(|keys| keys.signer.private_key = "key".into()),
            "no PKCS#8",
        ),
        (
            changed(|keys| {
                keys.published[0].x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()
            }),
            "not the one that is published",
        ),
    ] {
        let error = issuer.take(&keys).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
        let published = issuer.published().expect("keys");
        assert!(String::from_utf8_lossy(&published).contains("\"kid\":\"1\""));
    }
    assert!(!format!("{issuer:?}").contains("MC4CAQ"));
}

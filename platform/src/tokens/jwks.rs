//! The issuer's keys, as it publishes them: a JSON Web Key Set (RFC 7517).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// More than any issuer has while it replaces one.
const MOST: usize = 100;

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The keys that can check a signature.
#[derive(Debug)]
pub(super) struct Jwks(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

/// What a token's header leads to.
#[derive(Debug)]
pub(super) enum KeyMatch<'a> {
    Key(&'a DecodingKey),
    /// No key has that id: there may be a new one.
    Unknown,
    /// There is no key for it, and a new one would not help.
    Nothing(&'static str),
}

impl Jwks {
    /// The usable keys of `document`, none where the issuer has withdrawn them all: what is for encryption,
    /// symmetric, or of a kind that is not known is passed over.
    ///
    /// # Errors
    /// A sentence, when it is no key set.
    pub(super) fn parse(document: &[u8]) -> Result<Self, String> {
        let published: Published = serde_json::from_slice(document)
            .map_err(|error| format!("it is no key set: {error}"))?;
        let keys = published.keys.into_iter().take(MOST).filter_map(Key::parse);
        Ok(Self(keys.collect()))
    }

    /// Whether no token can be checked by them.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> KeyMatch<'_> {
        let fits = |key: &&Key| key.algorithms.contains(&algorithm);
        if self.0.is_empty() {
            return KeyMatch::Unknown;
        }
        let Some(id) = id else {
            let mut fitting = self.0.iter().filter(fits);
            return match (fitting.next(), fitting.next()) {
                (Some(only), None) => KeyMatch::Key(&only.key),
                _ => KeyMatch::Nothing("the token does not say which key it is signed with"),
            };
        };
        let mut named = self.0.iter().filter(|key| key.id.as_deref() == Some(id));
        let mut named = named.by_ref().peekable();
        if named.peek().is_none() {
            return KeyMatch::Unknown;
        }
        match named.find(fits) {
            Some(key) => KeyMatch::Key(&key.key),
            None => KeyMatch::Nothing("the token's algorithm is not that of its key"),
        }
    }
}

impl Key {
    fn parse(published: Value) -> Option<Self> {
        let key: Jwk = serde_json::from_value(published).ok()?;
        if !matches!(
            key.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        ) {
            return None;
        }
        let of_kind: &[Algorithm] = match &key.algorithm {
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(pair) => match pair.curve {
                EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
                _ => return None,
            },
            _ => return None,
        };
        let stated = key.common.key_algorithm;
        let fits = |algorithm: &&Algorithm| stated.is_none_or(|stated| is(stated, **algorithm));
        let algorithms: Vec<Algorithm> = of_kind.iter().filter(fits).copied().collect();
        if algorithms.is_empty() {
            return None;
        }
        Some(Self {
            key: DecodingKey::from_jwk(&key).ok()?,
            id: key.common.key_id,
            algorithms,
        })
    }
}

/// Both are named as in RFC 7518, 3.1.
fn is(stated: KeyAlgorithm, algorithm: Algorithm) -> bool {
    format!("{stated:?}") == format!("{algorithm:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// RFC 8037, appendix A.2.
    const ED25519: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ed25519(id: Option<&str>) -> Value {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519});
        if let Some(id) = id {
            key["kid"] = json!(id);
        }
        key
    }

    fn parse(keys: Value) -> Result<Jwks, String> {
        Jwks::parse(json!({"keys": keys}).to_string().as_bytes())
    }

    #[test]
    fn keys_that_cannot_check_a_signature_are_passed_over() {
        let symmetric = json!({"kty": "oct", "kid": "a", "k": "c2VjcmV0"});
        let mut encryption = ed25519(Some("a"));
        encryption["use"] = json!("enc");
        let mut stated = ed25519(Some("a"));
        stated["alg"] = json!("RS256");
        let unknown = json!({"kty": "new", "kid": "a"});
        let unusable = json!([symmetric, encryption, stated, unknown, 1]);
        assert!(parse(unusable.clone()).expect("a key set").is_empty());
        let mut mixed = unusable;
        mixed
            .as_array_mut()
            .expect("a list")
            .push(ed25519(Some("b")));
        let keys = parse(mixed).expect("one key");
        assert!(matches!(
            keys.find(Some("b"), Algorithm::EdDSA),
            KeyMatch::Key(_)
        ));
        assert!(matches!(
            keys.find(Some("a"), Algorithm::HS256),
            KeyMatch::Unknown
        ));
    }

    #[test]
    fn a_key_is_used_with_its_own_algorithm_only() {
        let keys = parse(json!([ed25519(Some("a"))])).expect("a key");
        for algorithm in [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256] {
            assert!(matches!(
                keys.find(Some("a"), algorithm),
                KeyMatch::Nothing(_)
            ));
        }
        assert!(matches!(
            keys.find(Some("b"), Algorithm::EdDSA),
            KeyMatch::Unknown
        ));
    }

    #[test]
    fn a_token_that_names_no_key_is_checked_where_there_is_but_one() {
        let one = parse(json!([ed25519(None)])).expect("a key");
        assert!(matches!(one.find(None, Algorithm::EdDSA), KeyMatch::Key(_)));
        let two = parse(json!([ed25519(None), ed25519(Some("b"))])).expect("keys");
        assert!(matches!(
            two.find(None, Algorithm::EdDSA),
            KeyMatch::Nothing(_)
        ));
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for document in ["", "[]", "{}", r#"{"keys": {}}"#, "<html>"] {
            assert!(Jwks::parse(document.as_bytes()).is_err(), "{document}");
        }
    }
}

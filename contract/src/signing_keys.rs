//! The keys of a tenant that issues tokens: the part of what an API server knows of them that changes while
//! it serves.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// With what a tenant signs tokens, and what can check them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SigningKeys {
    /// The key that signs from now on; its public half is among the others.
    pub signer: SigningKey,
    /// All that are published: also the one that will sign next, and the one that signed before.
    pub published: Vec<PublishedKey>,
}

/// A private key for Ed25519 (RFC 8410).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// As tokens name it, in the header `kid`.
    pub id: String,
    /// The key as PKCS#8, in PEM.
    #[serde(serialize_with = "crate::config::expose")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub private_key: SecretString,
}

/// The public half of a key for Ed25519.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PublishedKey {
    /// As tokens name it.
    pub id: String,
    /// The 32 bytes in base64url, as the member `x` of a JWK has them (RFC 8037, 2).
    pub x: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_file_has_the_shape_that_the_api_server_documents() {
        let keys = SigningKeys {
            signer: SigningKey {
                id: "a".into(),
                private_key: "PEM".into(),
            },
            published: vec![PublishedKey {
                id: "a".into(),
                x: "11qY".into(),
            }],
        };
        let file = json!({"signer": {"id": "a", "privateKey": "PEM"}, "published": [{"id": "a", "x": "11qY"}]});
        assert_eq!(serde_json::to_value(&keys).expect("serializes"), file);
        let read: SigningKeys = serde_json::from_value(file.clone()).expect("parses");
        assert_eq!(serde_json::to_value(&read).expect("serializes"), file);
        assert!(!format!("{keys:?}").contains("PEM"));
    }
}

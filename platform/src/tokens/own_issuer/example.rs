//! An issuer for tests, and keys for it.

use std::num::NonZeroU32;
use std::time::Duration;

use docket_contract::{PublishedKey, SigningKey, SigningKeys};

use super::OwnIssuer;

/// RFC 8410, 10.3.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
pub(super) const X: &str = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE";

pub(in crate::tokens) fn issuer(lifetime: Duration) -> OwnIssuer {
    crate::install_crypto();
    let seconds = u32::try_from(lifetime.as_secs()).expect("not that long");
    OwnIssuer::new(&docket_contract::OwnIssuer {
        url: "https://acme.example".into(),
        token_lifetime_seconds: NonZeroU32::new(seconds).expect("some time"),
    })
}

/// Keys of which the one that signs is called `name`.
pub(in crate::tokens) fn key(name: u8) -> SigningKeys {
    let id = name.to_string();
    SigningKeys {
        published: vec![PublishedKey {
            id: id.clone(),
            x: X.into(),
        }],
        signer: SigningKey {
            id,
            private_key: PEM.into(),
        },
    }
}

//! Who saw a page, without knowing it: what tells visitors of one day apart, and is worth nothing the day
//! after tomorrow.

use std::net::IpAddr;

use ring::hmac;

/// Bytes of a salt.
pub(crate) const SALT: usize = 32;
/// Bytes that are kept: enough to tell apart all visitors that a day can have.
pub(crate) const LENGTH: usize = 16;

/// What makes a day's visitors unlike those of any other day and client: whoever lacks it cannot tell
/// whose address and agent a visitor was.
#[derive(Clone)]
pub(crate) struct Salt(hmac::Key);

impl std::fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Salt")
    }
}

impl Salt {
    pub(crate) fn new(salt: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, salt))
    }

    /// The visitor with this address and user agent.
    pub(crate) fn visitor(&self, address: Option<IpAddr>, agent: &[u8]) -> [u8; LENGTH] {
        let mut context = hmac::Context::with_key(&self.0);
        let address = address.map(|address| match address.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        });
        // Of fixed length, so that no two pairs make the same text.
        context.update(&address.map_or([0; 16], |address| address.octets()));
        context.update(agent);
        let tag = context.sign();
        let mut visitor = [0; LENGTH];
        visitor.copy_from_slice(&tag.as_ref()[..LENGTH]);
        visitor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_the_same_all_day_and_another_with_any_other_address_agent_or_salt() {
        let salt = Salt::new(&[1; SALT]);
        let address = |text: &str| Some(text.parse().expect("an address"));
        let visitor = salt.visitor(address("192.0.2.7"), b"Firefox");
        assert_eq!(visitor, salt.visitor(address("192.0.2.7"), b"Firefox"));
        assert_eq!(
            visitor,
            salt.visitor(address("::ffff:192.0.2.7"), b"Firefox")
        );
        for other in [
            salt.visitor(address("192.0.2.8"), b"Firefox"),
            salt.visitor(address("192.0.2.7"), b"Chrome"),
            salt.visitor(None, b"Firefox"),
            Salt::new(&[2; SALT]).visitor(address("192.0.2.7"), b"Firefox"),
        ] {
            assert_ne!(visitor, other);
        }
    }
}

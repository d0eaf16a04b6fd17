//! Who is at the other end of a connection.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// What proxies name the callers with whose requests they bring.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a connection came from; each request on it has this among its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The address of who sent a request: what the proxy next to this server says, which is the last in
    /// `X-Forwarded-For`, or else the `peer` itself. Who reaches this server without a proxy may say anything,
    /// so nobody is let in by this.
    pub fn address(peer: Option<Self>, headers: &HeaderMap) -> Option<IpAddr> {
        let forwarded = headers.get_all(FORWARDED_FOR).iter().next_back();
        let last = forwarded
            .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        last.or(peer.map(|peer| peer.0.ip()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_nearest_proxy_is_believed_and_nothing_that_came_to_it() {
        let peer = Some(Peer(([10, 0, 0, 1], 4000).into()));
        for (values, expected) in [
            (&[][..], "10.0.0.1"),
            (&["192.0.2.7"], "192.0.2.7"),
            (&["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
            (&["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
            (&["198.51.100.1,2001:db8::7"], "2001:db8::7"),
            (&["192.0.2.7, unknown"], "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
            }
            let address = Peer::address(peer, &headers).map(|it| it.to_string());
            assert_eq!(address.as_deref(), Some(expected), "{values:?}");
        }
    }
}

//! Addresses of this machine for the servers that tests start in processes of their own.

use std::io::Result;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpSocket;

/// What keeps the kernel from giving an address away: to a connection, or to who asks for any port.
static HELD: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());

/// An address that nothing listens on, and that the kernel gives to nobody else while this process lives.
///
/// A server may listen there, and again after it ended, if it sets `SO_REUSEADDR` as servers do; see `socket(7)`.
/// Until then connections are refused.
///
/// # Errors
/// No port is left, or no file descriptor.
pub fn free_address() -> Result<SocketAddr> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = socket.local_addr()?;
    HELD.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(socket);
    Ok(address)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_free_address_refuses_connections_until_somebody_listens_there_and_when_they_are_gone() {
        let address = free_address().expect("an address");
        for _ in 0..2 {
            let refused = TcpStream::connect(address).expect_err("nobody is there");
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            let _server = TcpListener::bind(address).expect("it is free");
            TcpStream::connect(address).expect("somebody is there");
        }
    }

    /// The kernel gives a port to who asks for any, or connects, if it could be bound without `SO_REUSEADDR`.
    #[tokio::test]
    async fn a_free_address_is_held() {
        let address = free_address().expect("an address");
        let other = TcpSocket::new_v4().expect("a socket");
        let taken = other.bind(address).expect_err("it is held");
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    }
}

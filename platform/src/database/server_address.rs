//! Where Postgres listens, and whether anybody does.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

/// A host and port, or the Unix socket of that port in a folder.
#[derive(Clone, Debug)]
pub(super) enum ServerAddress {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl ServerAddress {
    /// A `host` that begins with `/` is the folder of a socket, as for libpq.
    pub(super) fn new(host: &str, port: u16) -> Self {
        match host.starts_with('/') {
            true => Self::Unix(PathBuf::from(host).join(format!(".s.PGSQL.{port}"))),
            false => Self::Tcp(host.to_owned(), port),
        }
    }

    /// Asks `after` a while whether anybody listens, and ends with the answer that nobody does. Any other
    /// failure, such as a queue that is full, says nothing of that.
    ///
    /// Once: Postgres makes a process for whoever connects, and may be busy with just that.
    pub(super) async fn refusal(&self, after: Duration) -> io::Error {
        tokio::time::sleep(after).await;
        match self.connect().await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => error,
            Err(_) | Ok(()) => std::future::pending().await,
        }
    }

    async fn connect(&self) -> io::Result<()> {
        match self {
            Self::Tcp(host, port) => TcpStream::connect((host.as_str(), *port)).await.map(drop),
            Self::Unix(path) => UnixStream::connect(path).await.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use docket_loopback::free_address;
    use tokio::net::TcpListener;

    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[test]
    fn a_folder_has_the_socket_of_the_port() {
        let address = ServerAddress::new("/run/postgresql", 5433);
        let socket = PathBuf::from("/run/postgresql/.s.PGSQL.5433");
        assert!(matches!(address, ServerAddress::Unix(path) if path == socket));
    }

    #[tokio::test]
    async fn a_host_where_nobody_listens_refuses_and_one_where_somebody_does_is_waited_for() {
        let nobody = free_address().expect("an address");
        let address = ServerAddress::new("127.0.0.1", nobody.port());
        let refused = address.refusal(SOON).await;
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let address = ServerAddress::new("127.0.0.1", port);
        let refusal = tokio::time::timeout(100 * SOON, address.refusal(SOON)).await;
        assert!(refusal.is_err(), "somebody listens: {refusal:?}");
    }
}

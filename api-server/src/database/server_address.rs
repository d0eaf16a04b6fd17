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

    /// Asks once an `interval` whether anybody listens; ends with the first answer that nobody does.
    pub(super) async fn refuses_every(&self, interval: Duration) -> io::Error {
        loop {
            tokio::time::sleep(interval).await;
            if let Err(error) = self.connect().await {
                return error;
            }
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

    const INTERVAL: Duration = Duration::from_millis(1);

    #[test]
    fn a_folder_has_the_socket_of_the_port() {
        let address = ServerAddress::new("/run/postgresql", 5433);
        let socket = PathBuf::from("/run/postgresql/.s.PGSQL.5433");
        assert!(matches!(address, ServerAddress::Unix(path) if path == socket));
    }

    #[tokio::test]
    async fn a_host_where_nobody_listens_refuses_and_one_where_somebody_does_is_asked_again_and_again()
     {
        let nobody = free_address().expect("an address");
        let address = ServerAddress::new("127.0.0.1", nobody.port());
        let refused = address.refuses_every(INTERVAL).await;
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let asked_three_times = async {
            for _ in 0..3 {
                listener.accept().await.expect("a connection");
            }
        };
        let address = ServerAddress::new("127.0.0.1", port);
        tokio::select! {
            error = address.refuses_every(INTERVAL) => panic!("{error}"),
            () = asked_three_times => {}
        }
    }
}

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

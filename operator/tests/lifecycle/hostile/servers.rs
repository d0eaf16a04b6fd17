//! Servers that specs and Secrets name, and that mean no good.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// `AuthenticationOk` and `ReadyForQuery`.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// The beginning of a `DataRow` of two gigabytes.
const ROW: &[u8] = b"D\x7f\xff\xff\xff\0\x01\x7f\xff\xff\x00";

/// A server that ends with the test.
pub struct Server {
    pub address: SocketAddr,
    /// Connections on which somebody waits for an answer, or is given more than enough.
    pub busy: Arc<AtomicUsize>,
}

/// What a server does to a caller.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A Postgres that lets everybody in and answers nobody.
    Tarpit,
    /// A Postgres whose answer to anything has no end.
    Gusher,
    /// An S3 whose answer to anything has no end.
    Flood,
}

impl Server {
    pub async fn start(kind: Kind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let busy = Arc::new(AtomicUsize::new(0));
        let counted = busy.clone();
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let counted = counted.clone();
                // Who ends the connection ends this.
                tokio::spawn(async move { drop(deal_with(caller, kind, &counted).await) });
            }
        });
        Self { address, busy }
    }
}

async fn deal_with(mut caller: TcpStream, kind: Kind, busy: &AtomicUsize) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let _asked = caller.read(&mut request).await?;
    if !matches!(kind, Kind::Flood) {
        caller.write_all(WELCOME).await?;
        let _logged_in = caller.read(&mut request).await?;
    }
    busy.fetch_add(1, Ordering::SeqCst);
    match kind {
        Kind::Tarpit => while caller.read(&mut request).await? > 0 {},
        Kind::Gusher => {
            caller.write_all(ROW).await?;
            without_end(caller).await?;
        }
        Kind::Flood => {
            caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            without_end(caller).await?;
        }
    }
    Ok(())
}

async fn without_end(mut caller: TcpStream) -> std::io::Result<()> {
    let more = vec![b' '; 64 * 1024];
    loop {
        caller.write_all(&more).await?;
    }
}

//! A proxy between one operator and Postgres. It understands just enough of the protocol to number
//! statements and to know when one is answered (PostgreSQL documentation, "Message Formats").

mod message;
mod statement;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use std::io::ErrorKind::UnexpectedEof;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;

use self::message::Message;
use crate::gateway::DELIVERY;
use crate::operator::Operator;
use crate::proxy::{Proxy, Victim};
use crate::script::{Fault, Place, Script};

/// The proxy; it ends on drop.
#[derive(Debug)]
pub struct Wire {
    shared: Arc<Shared>,
    proxy: Proxy,
}

#[derive(Debug)]
struct Shared {
    socket: PathBuf,
    script: Arc<Script>,
    victim: Victim,
}

impl Wire {
    /// A proxy before the Postgres at `socket`.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(socket: PathBuf, script: Arc<Script>) -> Result<Self> {
        let shared = Arc::new(Shared {
            socket,
            script,
            victim: Victim::default(),
        });
        let of_proxy = shared.clone();
        let serve = move |stream| {
            let shared = of_proxy.clone();
            async move {
                // A connection that we or the server cut ends with an error.
                let _ = relay(stream, &shared).await;
            }
        };
        let proxy = Proxy::start(serve).await?;
        Ok(Self { shared, proxy })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.proxy.address
    }

    /// Whom the faults kill.
    pub fn serves(&self, operator: Arc<Operator>) {
        self.shared.victim.is(operator);
    }
}

/// One connection: the login as it is, then statement by statement.
async fn relay(client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = UnixStream::connect(&shared.socket).await?.into_split();
    let length = from_client.read_u32().await?;
    let mut startup = vec![0; length.saturating_sub(4) as usize];
    from_client.read_exact(&mut startup).await?;
    to_server.write_u32(length).await?;
    to_server.write_all(&startup).await?;
    // Ended with this connection; a message that is half read is never given up.
    let mut readers = tokio::task::JoinSet::new();
    let mut connection = Connection {
        from_client: read(from_client, &mut readers),
        from_server: read(from_server, &mut readers),
        to_client,
        to_server,
        prepared: HashMap::new(),
    };
    connection.log_in().await?;
    loop {
        let unit = connection.unit().await?;
        if !connection.pass(&unit, shared).await? {
            return Ok(());
        }
    }
}

fn read(
    mut stream: impl AsyncRead + Unpin + Send + 'static,
    readers: &mut tokio::task::JoinSet<()>,
) -> mpsc::Receiver<Message> {
    let (send, receive) = mpsc::channel(16);
    readers.spawn(async move {
        while let Ok(message) = Message::read(&mut stream).await {
            if send.send(message).await.is_err() {
                return;
            }
        }
    });
    receive
}

struct Connection {
    from_client: mpsc::Receiver<Message>,
    from_server: mpsc::Receiver<Message>,
    to_client: OwnedWriteHalf,
    to_server: tokio::net::unix::OwnedWriteHalf,
    prepared: HashMap<Vec<u8>, String>,
}

impl Connection {
    async fn log_in(&mut self) -> std::io::Result<()> {
        loop {
            tokio::select! {
                message = self.from_server.recv() => {
                    let message = message.ok_or(UnexpectedEof)?;
                    self.to_client.write_all(&message.bytes).await?;
                    if message.kind == message::READY {
                        return Ok(());
                    }
                }
                message = self.from_client.recv() => {
                    self.to_server.write_all(&message.ok_or(UnexpectedEof)?.bytes).await?;
                }
            }
        }
    }

    /// The next messages of the client up to the one that the server is to answer.
    async fn unit(&mut self) -> std::io::Result<Vec<Message>> {
        let mut unit = Vec::new();
        loop {
            tokio::select! {
                // The server ends the connection, or tells something by itself.
                message = self.from_server.recv() => {
                    self.to_client.write_all(&message.ok_or(UnexpectedEof)?.bytes).await?;
                }
                message = self.from_client.recv() => {
                    let message = message.ok_or(UnexpectedEof)?;
                    let last = message.ends_unit();
                    unit.push(message);
                    if last {
                        return Ok(unit);
                    }
                }
            }
        }
    }

    /// Forwards a statement and its answer; false when the connection is to end.
    async fn pass(&mut self, unit: &[Message], shared: &Shared) -> std::io::Result<bool> {
        let named = statement::name(unit, &mut self.prepared);
        let fault = named
            .clone()
            .and_then(|name| shared.script.arrives(Place::Postgres, name));
        match fault {
            Some(Fault::KillBefore) => {
                shared.victim.crash();
                return Ok(false);
            }
            Some(Fault::Cut) => return Ok(false),
            Some(Fault::Hang) => {
                // Until the operator gives up, or ends.
                while self.from_client.recv().await.is_some() {}
                return Ok(false);
            }
            Some(Fault::Shutdown) => {
                let error = message::error("FATAL", "57P01", "terminating connection on purpose");
                self.to_client.write_all(&error).await?;
                return Ok(false);
            }
            Some(Fault::Retry) => {
                let error = message::error("ERROR", "40001", "could not serialize, on purpose");
                self.to_client.write_all(&error).await?;
                self.to_client.write_all(&message::ready()).await?;
                return Ok(true);
            }
            _ => {}
        }
        for message in unit {
            self.to_server.write_all(&message.bytes).await?;
        }
        if unit.last().is_some_and(|it| it.kind == message::TERMINATE) {
            return Ok(false);
        }
        let mut answer = Vec::new();
        let mut failed = false;
        loop {
            let message = self.from_server.recv().await.ok_or(UnexpectedEof)?;
            answer.extend_from_slice(&message.bytes);
            failed |= message.kind == message::ERROR;
            if message.kind == message::READY {
                break;
            }
        }
        if let Some(name) = named.filter(|name| !failed && statement::changes(name)) {
            shared.script.committed(format!("ran {name}"));
        }
        match fault {
            Some(Fault::KillCommitted) => {
                shared.victim.crash();
                return Ok(false);
            }
            Some(Fault::CutCommitted) => return Ok(false),
            _ => {}
        }
        self.to_client.write_all(&answer).await?;
        if fault == Some(Fault::KillAnswered) {
            tokio::time::sleep(DELIVERY).await;
            shared.victim.crash();
            return Ok(false);
        }
        Ok(true)
    }
}

//! What both proxies are: a port that is listened on, and an operator that the faults kill.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::operator::Operator;

/// A port of 127.0.0.1 that is listened on until this is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Serves each connection with a future that `serve` makes; all of them end with the proxy.
    ///
    /// # Errors
    /// No port is free.
    pub(crate) async fn start<S>(
        mut serve: impl FnMut(TcpStream) -> S + Send + 'static,
    ) -> Result<Self>
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // Ended with this task, and with them every connection.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // Only delays what the operator sees.
                let _ = stream.set_nodelay(true);
                connections.spawn(serve(stream));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whom the faults kill, once it is known.
#[derive(Debug, Default)]
pub(crate) struct Victim(OnceLock<Arc<Operator>>);

impl Victim {
    pub(crate) fn is(&self, operator: Arc<Operator>) {
        // There is one operator for a proxy's whole life.
        let _ = self.0.set(operator);
    }

    pub(crate) fn crash(&self) {
        if let Some(operator) = self.0.get() {
            operator.crash().expect("the operator started before");
        }
    }
}

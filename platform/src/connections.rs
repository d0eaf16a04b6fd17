//! The connections of one listener: how many there may be, how long a silent one may stay, and how
//! they end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::peer::Peer;

/// What a listener grants its callers.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Time for a TLS handshake, for a request head, and for taking something of an answer.
    pub idle: Duration,
    /// Connections at once; further ones wait to be accepted. While less than half are free, a new one has a
    /// [hurried](HURRY) time to be silent.
    pub most: usize,
    /// The certificate to show; plain HTTP without one.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Part of the time that a silent connection has where there are many: whoever only holds them is rid of
/// sooner than the places are used up.
const HURRY: u32 = 6;

/// Serves `router` over HTTP/1.1 until `stop`, then until the requests in flight are answered.
///
/// A connection on which no whole request head arrives within `terms.idle`, whether a new one or one
/// between two requests, is closed: it would cost a slow or silent caller nothing to hold many. So is
/// one whose caller takes nothing of its answer for that long.
pub async fn serve(
    mut listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    terms: Terms,
) {
    let with_patience = |idle| {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(idle);
        http
    };
    let usual = with_patience(terms.idle);
    let hurried = with_patience(terms.idle / HURRY);
    let connections = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(terms.most));
    // This accept waits out what the listener itself fails with, such as too many open files.
    let next = async |free: &Arc<Semaphore>, listener: &mut TcpListener| {
        let place = free.clone().acquire_owned().await.ok();
        (place, Listener::accept(listener).await)
    };
    while let Some((place, (stream, address))) =
        stop.run_until_cancelled(next(&free, &mut listener)).await
    {
        let http = match free.available_permits() < terms.most / 2 {
            true => &hurried,
            false => &usual,
        };
        let connection = Connection {
            http: http.clone(),
            router: router.clone(),
            watcher: connections.watcher(),
            peer: Peer(address),
        };
        let (terms, stop) = (terms.clone(), stop.clone());
        tokio::spawn(async move {
            if let Err(error) = connection.accept(stream, terms, stop).await {
                tracing::debug!(error = %format!("{error:#}"), "a connection broke off");
            }
            drop(place);
        });
    }
    // Who connects from now on should be refused, not kept waiting.
    drop(listener);
    connections.shutdown().await;
}

/// A caller that may not have said anything yet.
struct Connection {
    http: http1::Builder,
    router: Router,
    watcher: Watcher,
    peer: Peer,
}

impl Connection {
    async fn accept(
        self,
        stream: TcpStream,
        terms: Terms,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(terms.idle));
        let stream = Box::pin(stream);
        match terms.tls {
            None => self.answer(stream).await,
            // A handshake has kilobytes, which a connection without one should not keep.
            Some(tls) => Box::pin(self.accept_tls(tls.into(), stream, terms.idle, stop)).await,
        }
    }

    async fn accept_tls(
        self,
        tls: TlsAcceptor,
        stream: Pin<Box<TimeoutStream<TcpStream>>>,
        patience: Duration,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let handshake = tokio::time::timeout(patience, tls.accept(stream));
        match stop.run_until_cancelled(handshake).await {
            None => Ok(()),
            Some(Err(_)) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            Some(Ok(stream)) => self.answer(Box::pin(stream?)).await,
        }
    }

    async fn answer<S>(self, stream: Pin<Box<S>>) -> anyhow::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (router, peer) = (TowerToHyperService::new(self.router), self.peer);
        let service = service_fn(move |mut request| {
            request.extensions_mut().insert(peer);
            router.call(request)
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        Ok(self.watcher.watch(connection).await?)
    }
}

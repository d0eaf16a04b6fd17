//! The connections of one listener: how long a silent one may stay, and how they end.

use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves `router` over HTTP/1.1 until `stop`, then until the requests in flight are answered.
///
/// A connection on which no whole request head arrives within `idle`, whether a new one or one
/// between two requests, is closed: it would cost a slow or silent caller nothing to hold many.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    idle: Duration,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(idle);
    let connections = GracefulShutdown::new();
    // This accept waits out what the listener itself fails with, such as too many open files.
    while let Some((stream, _)) = stop
        .run_until_cancelled(Listener::accept(&mut listener))
        .await
    {
        let service = TowerToHyperService::new(router.clone());
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    // Who connects from now on should be refused, not kept waiting.
    drop(listener);
    connections.shutdown().await;
}

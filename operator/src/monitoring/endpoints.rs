//! /livez, /readyz, /metrics and /targets of the operator.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use docket_instrumentation::Telemetry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cache::pods::Pods;

#[derive(Clone)]
struct Served {
    telemetry: Arc<Telemetry>,
    ready: watch::Receiver<bool>,
    pods: watch::Receiver<Option<Pods>>,
}

/// Serves until `stop` is cancelled; `ready` says whether the operator holds the Lease and has seen
/// the cluster, or stands by while another holds it; `pods` are what it has seen of them, once that is all.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    address: SocketAddr,
    telemetry: Arc<Telemetry>,
    ready: watch::Receiver<bool>,
    pods: watch::Receiver<Option<Pods>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| anyhow::anyhow!("cannot listen on {address}: {error}"))?;
    axum::serve(listener, router(telemetry, ready, pods))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await?;
    Ok(())
}

fn router(
    telemetry: Arc<Telemetry>,
    ready: watch::Receiver<bool>,
    pods: watch::Receiver<Option<Pods>>,
) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/targets", get(targets))
        .with_state(Served {
            telemetry,
            ready,
            pods,
        })
}

async fn readyz(State(served): State<Served>) -> Response {
    if *served.ready.borrow() {
        "ok".into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "waiting for the Lease and the first view of the cluster",
        )
            .into_response()
    }
}

/// Whoever asks keeps what it was told last while the answer is an error.
async fn targets(State(served): State<Served>) -> Response {
    match &*served.pods.borrow() {
        Some(pods) => axum::Json(crate::monitoring::targets::targets(pods)).into_response(),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            "stands by, or has not seen the cluster yet",
        )
            .into_response(),
    }
}

async fn metrics(State(served): State<Served>) -> Response {
    match served.telemetry.render_metrics() {
        Ok(page) => ([(header::CONTENT_TYPE, page.content_type)], page.body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

//! `/health`, `/livez`, `/readyz`, `/metrics`: open to all, for probes and people.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::Status;
use super::report::{Finding, Report};
use crate::app::{App, SharedApp};
use crate::documents::microseconds;
use crate::{SERVICE, VERSION};

/// The answer of `/health`; `reasons` only when there are any.
#[derive(Debug, Serialize)]
pub(crate) struct HealthBody {
    status: Status,
    service: &'static str,
    #[serde(serialize_with = "microseconds")]
    timestamp: OffsetDateTime,
    #[serde(flatten)]
    parts: Map<String, Value>,
    version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

impl HealthBody {
    /// `parts` are what this service shows of `report` beside the common fields.
    pub(crate) fn new(service: &'static str, report: &Report, parts: Map<String, Value>) -> Self {
        Self {
            status: report.status(),
            service,
            timestamp: report.at,
            parts,
            version: VERSION,
            reasons: reasons([&report.content, &report.database]),
        }
    }
}

impl IntoResponse for HealthBody {
    /// 503 when unhealthy, else 200.
    fn into_response(self) -> Response {
        let status = match self.status {
            Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
            Status::Healthy | Status::Degraded => StatusCode::OK,
        };
        (status, Json(self)).into_response()
    }
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(health))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

async fn health(State(app): SharedApp) -> HealthBody {
    let report = app.health.report(&app).await;
    let mut parts = Map::new();
    let components = json!({
        app.content.component(): report.content.status,
        "data_store": report.database.status,
    });
    parts.insert("components".into(), components);
    HealthBody::new(SERVICE, &report, parts)
}

/// 200 `{"ready": true}`, or 503 with the reasons; not ready while draining or while any client
/// cannot be served.
async fn ready(State(app): SharedApp) -> (StatusCode, Json<Value>) {
    let reasons = match app.is_draining() {
        true => vec!["the server is shutting down".to_owned()],
        false => {
            let report = app.health.report(&app).await;
            reasons([&report.content, &report.database])
        }
    };
    match reasons.is_empty() {
        true => (StatusCode::OK, Json(json!({"ready": true}))),
        false => {
            let body = json!({"ready": false, "reasons": reasons});
            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
        }
    }
}

async fn metrics(State(app): SharedApp) -> Response {
    match docket_instrumentation::render_metrics(&app.registry) {
        Ok(page) => ([(header::CONTENT_TYPE, page.content_type)], page.body).into_response(),
        Err(error) => {
            tracing::error!(error = %format!("{error:#}"), "metrics cannot be shown");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn reasons<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<String> {
    findings
        .into_iter()
        .flat_map(|finding| finding.reasons.clone())
        .collect()
}

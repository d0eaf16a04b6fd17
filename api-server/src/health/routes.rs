//! `/health`, `/livez`, `/readyz`, `/metrics`: open to all, for probes and people.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Status;
use super::report::{Finding, Report};
use crate::app::{App, SharedApp};
use crate::documents::microseconds;
use crate::error::Error;
use crate::openapi::Answers;
use crate::{SERVICE, VERSION};

/// The answer of `/health`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthBody<Parts> {
    status: Status,
    service: &'static str,
    #[serde(serialize_with = "microseconds")]
    #[schema(value_type = String, format = DateTime)]
    timestamp: OffsetDateTime,
    #[serde(flatten)]
    parts: Parts,
    version: &'static str,
    /// Only when there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    reasons: Vec<String>,
}

/// What the document API consists of.
#[derive(Debug, Serialize, ToSchema)]
struct Components {
    /// By name: where content is, `data_store`, and `summarizer` where there is one to call.
    components: BTreeMap<&'static str, Status>,
}

/// The answer of `/readyz`.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// Only when there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    reasons: Vec<String>,
}

impl<Parts> HealthBody<Parts> {
    /// `parts` are what this service shows of `report` beside the common fields.
    pub(crate) fn new(service: &'static str, report: &Report, parts: Parts) -> Self {
        Self {
            status: report.status(),
            service,
            timestamp: report.at,
            parts,
            version: VERSION,
            reasons: report.reasons(),
        }
    }
}

impl<Parts> HealthBody<Parts> {
    /// No better than `finding`, of something that only this service depends on.
    fn and(mut self, finding: Option<&Finding>) -> Self {
        if let Some(finding) = finding {
            self.status = self.status.max(finding.status);
            self.reasons.extend(finding.reasons.iter().cloned());
        }
        self
    }
}

impl<Parts: Serialize> IntoResponse for HealthBody<Parts> {
    /// 503 when unhealthy, else 200.
    fn into_response(self) -> Response {
        let status = match self.status {
            Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
            Status::Healthy | Status::Degraded => StatusCode::OK,
        };
        (status, Json(self)).into_response()
    }
}

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(metrics))
}

/// Tell what works
#[utoipa::path(
    get,
    path = "/health",
    tag = "operations",
    responses(
        (status = 200, description = "Healthy, or degraded", body = HealthBody<Components>),
        (status = 503, description = "Unhealthy", body = HealthBody<Components>),
    )
)]
async fn health(State(app): SharedApp) -> HealthBody<Components> {
    let report = app.health.report(&app).await;
    // By its last calls: probes must not cost what calls cost.
    let summarizer = app
        .text
        .standing()
        .map(|standing| match standing.is_good() {
            true => Finding::healthy(),
            false => Finding::degraded("the summarizer fails; summaries come later".into()),
        });
    let summarizer = summarizer.as_ref();
    let components = [
        (app.content.component(), report.content.status),
        ("data_store", report.database.status),
    ];
    let components = components
        .into_iter()
        .chain(summarizer.map(|finding| ("summarizer", finding.status)))
        .collect();
    HealthBody::new(SERVICE, &report, Components { components }).and(summarizer)
}

/// Tell that the process is alive
#[utoipa::path(
    get,
    path = "/livez",
    tag = "operations",
    responses((status = 200, description = "It is", body = String))
)]
async fn live() -> &'static str {
    "ok\n"
}

/// Tell whether requests should be sent here
///
/// Not until all that it needs has worked once, nor while draining. An outage of the database or of
/// the object store does not change it: it would take every server out at once.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    responses(
        (status = 200, description = "They should", body = Readiness),
        (status = 503, description = "They should not", body = Readiness),
    )
)]
async fn ready(State(app): SharedApp) -> (StatusCode, Json<Readiness>) {
    let reasons = match app.is_draining() {
        true => vec!["the server is shutting down".to_owned()],
        // Pods that have the keys go on serving until this one has them, too.
        false if app.issuer.as_ref().is_some_and(|issuer| !issuer.has_keys()) => {
            vec!["the issuer's keys have not been fetched".to_owned()]
        }
        false => app.health.objections(&app).await,
    };
    let ready = reasons.is_empty();
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(Readiness { ready, reasons }))
}

/// Show the metrics of this process
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    responses(
        (status = 200, description = "Prometheus text format 0.0.4", body = String),
        Answers<500>,
    )
)]
async fn metrics(State(app): SharedApp) -> Result<impl IntoResponse, Error> {
    let page = docket_instrumentation::render_metrics(&app.registry).map_err(Error::Metrics)?;
    Ok(([(header::CONTENT_TYPE, page.content_type)], page.body))
}

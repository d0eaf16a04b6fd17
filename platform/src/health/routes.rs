//! `/health`, `/livez`, `/readyz`, `/metrics`: open to all, for probes and people.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRef, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::report::{Finding, Report};
use super::{Health, HealthStatus};
use crate::error::Error;
use crate::openapi::Answers;
use crate::timestamp::microseconds;

/// The answer of `/health`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HealthBody<Parts> {
    status: HealthStatus,
    service: &'static str,
    #[serde(serialize_with = "microseconds")]
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    #[serde(flatten)]
    parts: Parts,
    version: &'static str,
    /// Only when there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    reasons: Vec<String>,
}

/// What the API consists of.
#[derive(Debug, Serialize, ToSchema)]
struct Components {
    /// By name: where content is, `data_store`, and `summarizer` where there is one to call.
    components: BTreeMap<&'static str, HealthStatus>,
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
    pub(super) fn new(
        service: &'static str,
        version: &'static str,
        report: &Report,
        parts: Parts,
    ) -> Self {
        Self {
            status: report.status(),
            service,
            timestamp: report.at,
            parts,
            version,
            reasons: report.reasons(),
        }
    }

    /// No better than `findings` of what only this service depends on, but degraded at worst.
    fn and<'f>(mut self, findings: impl Iterator<Item = &'f Finding>) -> Self {
        for finding in findings {
            self.status = self.status.max(finding.status.min(HealthStatus::Degraded));
            self.reasons.extend(finding.reasons.iter().cloned());
        }
        self
    }
}

impl<Parts: Serialize> IntoResponse for HealthBody<Parts> {
    /// 503 when unhealthy, else 200.
    fn into_response(self) -> Response {
        let status = match self.status {
            HealthStatus::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
            HealthStatus::Healthy | HealthStatus::Degraded => StatusCode::OK,
        };
        (status, Json(self)).into_response()
    }
}

/// What these routes show.
#[derive(Clone, FromRef)]
struct Shown {
    checked: Arc<Health>,
    registry: docket_instrumentation::Registry,
}

/// The routes that show what was `checked`, and the metrics in `registry`.
pub fn routes(checked: Arc<Health>, registry: docket_instrumentation::Registry) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(metrics))
        .with_state(Shown { checked, registry })
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
async fn health(State(health): State<Arc<Health>>) -> HealthBody<Components> {
    let report = health.report().await;
    let workloads = health.workloads.iter();
    let own: Vec<_> = workloads
        .flat_map(|workload| workload.components())
        .collect();
    let mut components = BTreeMap::from([("data_store", report.database.status)]);
    for (name, finding) in report.contents.iter().chain(&own) {
        let known = components.entry(*name).or_insert(finding.status);
        *known = finding.status.max(*known);
    }
    let components = Components { components };
    let service = health.platform.service;
    HealthBody::new(service.name, service.version, &report, components)
        .and(own.iter().map(|(_, finding)| finding))
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
async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, Json<Readiness>) {
    let reasons = health.objections().await;
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
async fn metrics(
    State(registry): State<docket_instrumentation::Registry>,
) -> Result<impl IntoResponse, Error> {
    let page = docket_instrumentation::render_metrics(&registry).map_err(Error::Metrics)?;
    Ok(([(header::CONTENT_TYPE, page.content_type)], page.body))
}

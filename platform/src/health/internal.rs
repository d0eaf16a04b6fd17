//! `GET /health` on the port for callers inside the tenant's namespace: the database alone, table by table.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;

use super::checks::table_status;
use super::routes::HealthBody;
use super::{Health, HealthStatus};

/// The routes of what is called `service`.
pub fn routes(health: Arc<Health>, service: &'static str) -> Router {
    Router::new()
        .route("/health", get(show))
        .with_state((health, service))
}

/// What is behind that port.
#[derive(Serialize)]
struct Parts {
    database: DatabaseHealth,
    tables: BTreeMap<&'static str, HealthStatus>,
}

#[derive(Serialize)]
struct DatabaseHealth {
    status: HealthStatus,
    latency_ms: Option<f64>,
}

async fn show(State((health, service)): State<(Arc<Health>, &'static str)>) -> HealthBody<Parts> {
    let report = health.report().await;
    let database = DatabaseHealth {
        status: report.database.status,
        latency_ms: report.latency.map(|latency| latency.as_secs_f64() * 1000.0),
    };
    let tables = health.needed.tables().iter();
    let tables = tables.map(|table| (*table, table_status(&report, table)));
    let parts = Parts {
        database,
        tables: tables.collect(),
    };
    let version = health.platform.service.version;
    HealthBody::new(service, version, &report, parts)
}

//! `GET /health` of the data store.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Serialize;

use crate::app::{App, SharedApp};
use crate::health::{HealthBody, Status, table_status};
use crate::workloads;

const SERVICE: &str = "data-store";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/health", get(health))
}

/// What the data store consists of.
#[derive(Serialize)]
struct Parts {
    database: DatabaseHealth,
    tables: BTreeMap<&'static str, Status>,
}

#[derive(Serialize)]
struct DatabaseHealth {
    status: Status,
    latency_ms: Option<f64>,
}

async fn health(State(app): SharedApp) -> HealthBody<Parts> {
    let report = app.health.report(&app).await;
    let database = DatabaseHealth {
        status: report.database.status,
        latency_ms: report.latency.map(|latency| latency.as_secs_f64() * 1000.0),
    };
    let tables = workloads::tables()
        .into_iter()
        .map(|table| (table, table_status(&report, table)))
        .collect();
    HealthBody::new(SERVICE, &report, Parts { database, tables })
}

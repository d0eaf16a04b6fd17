//! `GET /health` of the data store.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde_json::{Map, Value, json};

use crate::app::{App, SharedApp};
use crate::health::{HealthBody, table_status};
use crate::workloads;

const SERVICE: &str = "data-store";

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/health", get(health))
}

/// Adds `database: {status, latency_ms}` and `tables: {<table>: status}` to the common fields.
async fn health(State(app): SharedApp) -> HealthBody {
    let report = app.health.report(&app).await;
    let latency = report.latency.map(|latency| latency.as_secs_f64() * 1000.0);
    let tables: Map<String, Value> = workloads::tables()
        .into_iter()
        .map(|table| (table.to_owned(), json!(table_status(&report, table))))
        .collect();
    let mut parts = Map::new();
    let database = json!({"status": report.database.status, "latency_ms": latency});
    parts.insert("database".into(), database);
    parts.insert("tables".into(), Value::Object(tables));
    HealthBody::new(SERVICE, &report, parts)
}

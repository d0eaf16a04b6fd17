//! What stands in for Slack, PagerDuty and a mail server on a laptop, and in tests: it writes down what
//! it is sent, a JSON object a line, and shows it at `/messages`; at `/messages?about=TEXT` what has that
//! text in it.

mod mail;
mod messages;

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use self::messages::Messages;

const HTTP: &str = "0.0.0.0:8080";
const SMTP: &str = "0.0.0.0:2525";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let messages = Messages::default();
    let (http, smtp) = (
        TcpListener::bind(HTTP).await?,
        TcpListener::bind(SMTP).await?,
    );
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        served = async { axum::serve(http, router(messages.clone())).await } => served?,
        served = mail::serve(smtp, messages.clone()) => served?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn router(messages: Messages) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/slack", post(slack))
        .route("/pagerduty", post(pagerduty))
        .route("/messages", get(told))
        .with_state(messages)
}

async fn slack(State(messages): State<Messages>, Json(body): Json<Value>) -> &'static str {
    messages.take("slack", body);
    "ok"
}

async fn pagerduty(
    State(messages): State<Messages>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let key = body["dedup_key"].clone();
    messages.take("pagerduty", body);
    let answer = json!({"status": "success", "message": "Event processed", "dedup_key": key});
    (StatusCode::ACCEPTED, Json(answer))
}

async fn told(
    State(messages): State<Messages>,
    Query(asked): Query<HashMap<String, String>>,
) -> Json<Vec<Value>> {
    Json(messages.about(asked.get("about").map_or("", String::as_str)))
}

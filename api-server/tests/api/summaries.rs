//! Summaries by a language model: a server that speaks as OpenAI's does stands in for it.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Json, State};
use axum::routing::post;
use axum::{Router, response::IntoResponse as _, response::Response};
use docket_api_server::public_router;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::postgres::Postgres;
use crate::support::requests::{get, shown, upload};
use crate::support::{Answer, Tenancy, eventually, send};

/// A language model: what it was asked, and the status that it answers with.
#[derive(Default)]
struct Model {
    asked: Mutex<Vec<(HeaderMap, Value)>>,
    status: AtomicU16,
}

impl Model {
    /// Starts it, and gives its URL.
    async fn start(status: StatusCode) -> (Arc<Self>, String) {
        let model = Arc::new(Self::default());
        model.answer_with(status);
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(model.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (model, url)
    }

    fn answer_with(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Ordering::Relaxed);
    }

    fn asked(&self) -> Vec<(HeaderMap, Value)> {
        self.asked.lock().expect("what was asked").clone()
    }
}

async fn complete(
    State(model): State<Arc<Model>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    model
        .asked
        .lock()
        .expect("what was asked")
        .push((headers, body));
    let status = StatusCode::from_u16(model.status.load(Ordering::Relaxed)).expect("a status");
    let answer = json!({
        "model": "small-2026",
        "choices": [{"message": {"role": "assistant", "content": "About a turbine."}}],
        "usage": {"prompt_tokens": 50, "completion_tokens": 5},
    });
    (status, Json(answer)).into_response()
}

/// A tenant whose texts are summarized at `url`, and a server that reads them.
fn start(tenancy: &mut Tenancy, summarizer: Value) -> (Router, DropGuard) {
    tenancy.config["workloads"]["documents"]["summarizer"] = summarizer;
    let app = tenancy.app();
    let stop = CancellationToken::new();
    let (working, stopping) = (app.clone(), stop.clone());
    tokio::spawn(async move { working.work(stopping).await });
    (public_router(app), stop.drop_guard())
}

fn openai(url: &str, timeout: u32) -> Value {
    let openai = json!({"url": url, "model": "small", "apiKey": "sesame", "timeoutMs": timeout});
    json!({"mode": "OpenAI", "openai": openai})
}

async fn summary(router: &Router, id: u32) -> Value {
    let answer = get(router, "globex", &format!("documents/{id}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["summary"].clone()
}

async fn health(router: &Router) -> Answer {
    let request = Request::get("/health")
        .body(axum::body::Body::empty())
        .expect("a request");
    send(router, request).await
}

/// Everything that waits is due, after so many attempts; the upload wakes who works on it.
async fn hurry(postgres: &Postgres, tenancy: &Tenancy, router: &Router, attempts: i16) {
    let schema = tenancy.identity("globex").schema;
    let sql = format!(
        "UPDATE {schema}.document_metadata SET text_due = now(), text_attempts = $1 \
         WHERE text_state = 'Pending'"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(attempts)
        .execute(&mut postgres.superuser().await)
        .await
        .expect("hurried");
    upload(router, "globex", "wake.txt", b"wake").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_asked_in_the_trace_of_the_upload_and_its_answer_is_the_summary() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let (model, url) = Model::start(StatusCode::OK).await;
    let (router, _work) = start(&mut tenancy, openai(&url, 2000));
    let uploaded = upload(&router, "globex", "a.txt", b"A long story.").await;
    assert_eq!(uploaded.json()["metadata"]["summary"], Value::Null);
    eventually("there is a summary", async || {
        summary(&router, 1).await == "About a turbine."
    })
    .await;
    let found = get(&router, "globex", "documents?q=turbine").await;
    assert_eq!(
        found.json()["documents"][0]["id"],
        1,
        "found by its summary"
    );

    let asked = model.asked();
    assert_eq!(asked.len(), 1);
    let (headers, body) = &asked[0];
    assert_eq!(headers["authorization"], "Bearer sesame");
    assert_eq!(body["model"], "small");
    assert_eq!(body["messages"][1]["content"], "A long story.");
    let trace =
        |headers: &HeaderMap| headers["traceparent"].to_str().expect("ASCII")[..35].to_owned();
    assert_eq!(trace(headers), trace(&uploaded.headers));
    assert_eq!(
        health(&router).await.json()["components"]["summarizer"],
        "healthy"
    );
    let metrics = crate::support::telemetry()
        .render_metrics()
        .expect("metrics");
    let metrics = String::from_utf8_lossy(metrics.body.as_ref()).into_owned();
    assert!(metrics.contains("gen_ai_client_token_usage"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_down_degrades_health_and_fails_no_upload_until_it_is_back() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let (model, url) = Model::start(StatusCode::SERVICE_UNAVAILABLE).await;
    let (router, _work) = start(&mut tenancy, openai(&url, 2000));
    let uploaded = upload(&router, "globex", "a.txt", b"A long story.").await;
    assert_eq!(uploaded.status, StatusCode::CREATED, "{uploaded:?}");
    let found = get(&router, "globex", "documents?q=story").await;
    assert_eq!(
        found.json()["documents"][0]["id"],
        1,
        "found before there is a summary"
    );
    eventually("health is degraded", async || {
        let health = health(&router).await;
        health.status == StatusCode::OK
            && health.json()["status"] == "degraded"
            && health.json()["components"]["summarizer"] == "degraded"
    })
    .await;
    assert_eq!(summary(&router, 1).await, Value::Null);
    model.answer_with(StatusCode::OK);
    eventually("there is a summary", async || {
        hurry(&postgres, &tenancy, &router, 1).await;
        summary(&router, 1).await == "About a turbine."
    })
    .await;
    eventually("health is well", async || {
        health(&router).await.json()["status"] == "healthy"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_model_is_silent_other_texts_are_read_and_found() {
    const TEXTS: usize = 24;
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    // Who connects is never accepted.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let silent = silent.expect("a port");
    let url = format!("http://{}/v1", silent.local_addr().expect("an address"));
    let (router, _work) = start(&mut tenancy, openai(&url, 5000));
    // Too long to be read during the upload.
    let text = "turbine ".repeat(9000);
    for number in 0..TEXTS {
        let name = format!("{number}.txt");
        upload(&router, "globex", &name, text.as_bytes()).await;
    }
    // Two at a time, each until the model's time is up, would take a minute.
    eventually("all are found", async || {
        let found = get(&router, "globex", "documents?q=turbine&limit=100").await;
        shown(&found, "id").len() == TEXTS
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_attempt_the_text_s_own_sentences_do() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let (model, url) = Model::start(StatusCode::UNAUTHORIZED).await;
    let (router, _work) = start(&mut tenancy, openai(&url, 2000));
    upload(&router, "globex", "a.txt", b"A long story.").await;
    eventually("the model was asked", async || !model.asked().is_empty()).await;
    eventually("the summary is the text's own", async || {
        hurry(&postgres, &tenancy, &router, 7).await;
        summary(&router, 1).await == "A long story."
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_summaries_gets_none() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let (router, _work) = start(&mut tenancy, json!({"mode": "None"}));
    let uploaded = upload(&router, "globex", "a.txt", b"A long story.").await;
    assert_eq!(uploaded.json()["metadata"]["summary"], Value::Null);
    let found = get(&router, "globex", "documents?q=story").await;
    assert_eq!(found.json()["documents"][0]["id"], 1);
    assert!(
        health(&router).await.json()["components"]
            .get("summarizer")
            .is_none()
    );
}

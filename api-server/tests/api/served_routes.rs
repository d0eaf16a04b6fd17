//! What every route has, whichever part of the server it is of: an id for each request, a measure, and a trace
//! where it is a client's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use docket_api_server::{data_store_router, public_router};
use http::Request;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::openapi::paths;
use crate::support::{Answer, Tenancy, send};

/// The attributes of each server span that starts.
#[derive(Clone, Default)]
struct ServerSpans(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

struct Texts(BTreeMap<&'static str, String>);

impl Visit for Texts {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: tracing::Subscriber> Layer<S> for ServerSpans {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        if attributes.metadata().name() == "http_request" {
            let mut texts = Texts(BTreeMap::new());
            attributes.record(&mut texts);
            self.0.lock().expect("no panic").push(texts.0);
        }
    }
}

impl ServerSpans {
    fn take(&self) -> Vec<BTreeMap<&'static str, String>> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

/// Of a tenant that runs every workload and issues tokens.
fn routers() -> (Router, Router) {
    let mut tenancy = Tenancy::without_database("ApiKey");
    tenancy.config["workloads"]["pageViews"] =
        json!({"origins": ["https://www.globex.example"], "retentionDays": 7, "documents": true});
    tenancy.config["auth"]["issuer"] =
        json!({"url": "https://acme.example", "tokenLifetimeSeconds": 60});
    let app = tenancy.app();
    (public_router(app.clone()), data_store_router(app))
}

async fn ask(router: &Router, method: &str, path: &str) -> Answer {
    let path = path.replace(['{', '}'], "");
    let request = Request::builder().method(method).uri(path);
    send(router, request.body(Body::empty()).expect("a request")).await
}

/// Requests like this one that were counted, by the workload that they count for.
async fn counted(public: &Router, method: &str, path: &str) -> BTreeMap<String, u64> {
    let page = ask(public, "GET", "/metrics").await.text();
    let label = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let mut counted = BTreeMap::new();
    for line in page.lines() {
        let is_ours = line.starts_with("http_requests_total{")
            && label(line, "method").as_deref() == Some(method)
            && label(line, "path").as_deref() == Some(path);
        if let Some(workload) = label(line, "docket_workload").filter(|_| is_ours) {
            let (_, count) = line.rsplit_once(' ').expect("a value");
            *counted.entry(workload).or_default() += count.parse::<u64>().expect("a count");
        }
    }
    counted
}

/// Method and path of each route of the public port, and whether it is a client's.
async fn documented(public: &Router) -> Vec<(String, String, bool)> {
    let document = ask(public, "GET", "/openapi.json").await.json();
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("an item");
        item.iter().map(move |(method, operation): (_, &Value)| {
            let is_clients = operation.get("security").is_some();
            (method.to_uppercase(), path.clone(), is_clients)
        })
    });
    operations.collect()
}

#[tokio::test]
async fn every_route_names_its_requests_and_counts_them_and_those_of_clients_are_traced() {
    let (public, data_store) = routers();
    let mut asked: Vec<(&Router, String, String, bool)> = Vec::new();
    for (method, path, is_clients) in documented(&public).await {
        asked.push((&public, method, path, is_clients));
    }
    for path in paths(&data_store, "/health") {
        let is_clients = path != "/health";
        asked.push((&data_store, "GET".to_owned(), path, is_clients));
    }
    let some = ["/oauth2/token", "/api/p3/page-views", "/livez"];
    assert!(
        some.iter()
            .all(|some| asked.iter().any(|(_, _, path, _)| path == some))
    );

    let spans = ServerSpans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    let _subscriber = tracing::subscriber::set_default(subscriber);
    for (router, method, path, is_clients) in asked {
        let what = format!("{method} {path}");
        let mut expected = counted(&public, &method, &path).await;
        spans.take();
        let answer = ask(router, &method, &path).await;
        assert!(answer.headers.contains_key("x-request-id"), "{what}");
        let started = spans.take();
        let now = counted(&public, &method, &path).await;
        let count = |counts: &BTreeMap<_, u64>| counts.values().sum::<u64>();
        assert!(count(&now) > count(&expected), "{what} is not counted");
        assert_eq!(started.len(), usize::from(is_clients), "{what}");
        for span in started {
            assert_eq!(span["http.request.method"], method);
            assert_eq!(span["http.route"], path);
            let workload = &span["docket.workload"];
            assert_ne!(workload, "none", "{what}");
            *expected.entry(workload.clone()).or_default() += 1;
            assert_eq!(now, expected, "{what} counts for the workload of its span");
        }
    }
}

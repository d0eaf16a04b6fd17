//! The spans of a request, their names and who is whose child.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use docket_api_server::public_router;
use http::{Request, header};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::support::postgres::Postgres;
use crate::support::send;

/// `parent > child` for each span that starts.
#[derive(Clone, Default)]
struct Tree(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Tree {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("a span");
        if span.metadata().target().starts_with("docket") {
            let parent = span.parent().map_or("", |parent| parent.name());
            let line = format!("{parent} > {}", span.name());
            self.0.lock().expect("a tree").push(line);
        }
    }
}

impl Tree {
    fn take(&self) -> Vec<String> {
        let mut spans = std::mem::take(&mut *self.0.lock().expect("a tree"));
        // It goes on beside the first upload, which does not wait for it.
        spans.retain(|span| !span.contains("claim_content"));
        spans.sort();
        spans
    }
}

#[tokio::test]
async fn an_upload_and_a_read_have_the_spans_that_the_guides_name() {
    let tree = Tree::default();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(tree.clone()));
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app_on(&[], docket_instrumentation::Registry::new()));

    upload(&router).await;
    assert_eq!(
        tree.take(),
        [
            " > http_request",
            "file_processing > file_read",
            "file_processing > file_save",
            "http_request > upload_document",
            "store_metadata > database_connection",
            "store_metadata > transaction_commit",
            "transaction_commit > sql_execution",
            "upload_document > file_processing",
            "upload_document > llm_summarization",
            "upload_document > store_metadata",
        ]
    );
    for (path, name) in [
        ("documents", "list_documents"),
        ("documents/1", "get_document"),
        ("documents/1/content", "get_content"),
    ] {
        read(&router, path).await;
        let mut expected = [
            " > http_request".to_owned(),
            format!("{name} > database_connection"),
            format!("{name} > sql_execution"),
            format!("http_request > {name}"),
        ];
        expected.sort();
        assert_eq!(tree.take(), expected);
    }
}

async fn upload(router: &Router) {
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n";
    let request = Request::put("/clients/globex/upload-document")
        .header("x-api-key", "globex-key")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let answer = send(router, request.body(Body::from(body)).expect("a request")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

async fn read(router: &Router, path: &str) {
    let request = Request::get(format!("/clients/globex/{path}")).header("x-api-key", "globex-key");
    let answer = send(router, request.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::service_fn;

use super::*;
use crate::memory::TenantMemories;
use crate::validated_tenant::example::{connection, content};

/// The tenant `acme`, without a finalizer: nothing keeps it when it is deleted.
fn tenant() -> Value {
    json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
        "metadata": {"name": "acme", "namespace": "acme", "uid": "u", "resourceVersion": "1"},
        "spec": {"clients": [], "database": {"secretRef": {"name": "d"}},
            "workloads": {"documents": {"storage": {"s3": {"bucket": "b", "endpoint": "http://s", "secretRef": {"name": "s"}}}}}},
    })
}

/// An API server that lists the tenant, and whose watch says that it is gone once it is `deleted`.
fn cluster(deleted: watch::Receiver<bool>) -> Client {
    let service = service_fn(move |request: Request<kube::client::Body>| {
        let mut deleted = deleted.clone();
        async move {
            let asks = request.uri().query().unwrap_or_default();
            let body = match asks.contains("watch=true") {
                false => {
                    let list = json!({"apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenantList",
                        "metadata": {"resourceVersion": "1"}, "items": [tenant()]});
                    Body::from(list.to_string())
                }
                true => {
                    let event = json!({"type": "DELETED", "object": tenant()});
                    let gone = stream::once(async move {
                        deleted.wait_for(|deleted| *deleted).await.expect("told");
                        Ok::<_, Infallible>(format!("{event}\n"))
                    });
                    Body::from_stream(gone.chain(stream::pending()))
                }
            };
            Ok::<_, Infallible>(Response::new(body))
        }
    });
    Client::new(service, "default")
}

/// Returns once the administrator's password is known, or not known.
async fn until_known(memory: &TenantMemories, known: bool) {
    let holds = async {
        while memory.connection("u").is_some() != known {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let patience = Duration::from_secs(60);
    let outcome = tokio::time::timeout(patience, holds).await;
    outcome.unwrap_or_else(|_| panic!("it never came to this: known is {known}"));
}

#[tokio::test]
async fn a_password_is_kept_until_the_watch_says_that_the_tenant_is_gone_whoever_let_it_go() {
    let (delete, deleted) = watch::channel(false);
    let memory = Arc::new(TenantMemories::default());
    let scope = Scope::new(cluster(deleted), Vec::new());
    let (_, events) =
        objects::<DocumentTenant, _>(&scope, NamespaceIndex::default(), memory.clone());
    let reconciles = events.for_each(|tenant| {
        let uid = tenant.expect("no failure").metadata.uid.expect("a uid");
        memory.reached(&uid, &connection(), Some(("documents", &content())));
        std::future::ready(())
    });
    let life = async {
        until_known(&memory, true).await;
        delete.send_replace(true);
        until_known(&memory, false).await;
    };
    tokio::select! {
        () = reconciles => panic!("the watch ended"),
        () = life => {}
    }
}

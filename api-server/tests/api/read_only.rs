//! A Postgres that takes no changes: a standby, or one that a cloud made read-only as its disk is full.

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};

use crate::support::postgres::Postgres;
use crate::support::requests::{ask, etag, get, patch, upload};
use crate::support::{Answer, eventually, send};

async fn health(router: &Router) -> Answer {
    let request = Request::get("/health").body(Body::empty());
    send(router, request.expect("a request")).await
}

/// For sessions from now on: those of before are ended.
async fn read_only(postgres: &Postgres, on: &str) {
    let mut superuser = postgres.superuser().await;
    for sql in [
        "SET default_transaction_read_only = off",
        &*format!("ALTER DATABASE postgres SET default_transaction_read_only = {on}"),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    ] {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut superuser)
            .await;
        done.expect("done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_503_and_reads_go_on_while_postgres_is_read_only_and_health_says_so() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = docket_api_server::public_router(tenancy.app());
    assert_eq!(upload(&router, "globex", "a.txt", b"one").await.status, 201);
    let etag = etag(&router, "documents/1").await;
    read_only(&postgres, "on").await;
    eventually("health says so", async || {
        let answer = health(&router).await;
        let body = answer.json();
        let reasons = body["reasons"].to_string();
        answer.status == StatusCode::OK
            && body["status"] == "degraded"
            && body["components"]["data_store"] == "degraded"
            && reasons.contains("2 of 2 clients: the database is read-only")
    })
    .await;
    for answer in [
        upload(&router, "globex", "b.txt", b"two").await,
        patch(&router, 1, &etag, r#"{"filename": "c.txt"}"#).await,
        ask(&router, Method::DELETE, "globex", "documents/1").await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
        assert_eq!(
            answer.json()["type"],
            "urn:docket:problem:database-unavailable"
        );
    }
    for path in ["documents", "documents/1", "documents/1/content"] {
        let answer = get(&router, "globex", path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
    }
    read_only(&postgres, "off").await;
    eventually("changes are taken again", async || {
        upload(&router, "globex", "b.txt", b"two").await.status == 201
    })
    .await;
    eventually("all is well", async || {
        health(&router).await.json()["status"] == "healthy"
    })
    .await;
}

//! Documents against a real Postgres: what is stored, who may read it, and what an outage does.

use axum::Router;
use axum::body::Body;
use docket_api_server::{data_store_router, public_router};
use docket_schema::latest_version;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _};

use crate::support::postgres::Postgres;
use crate::support::requests::{ask, get, sha256, upload};
use crate::support::{Answer, eventually, password, send};

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_upload_and_read_each_their_own() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let large: Vec<u8> = (0..9_000_000_u32).map(|i| b'a' + (i % 26) as u8).collect();

    for (client, content) in [
        ("globex", b"hello".as_slice()),
        ("initech", large.as_slice()),
    ] {
        let answer = upload(&router, client, "folder/żółw.txt", content).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let uploaded = answer.json();
        assert_eq!(uploaded["message"], "Document uploaded successfully");
        assert_eq!(uploaded["client_id"], client);
        assert_eq!(uploaded["document_id"], 1);
        let metadata = &uploaded["metadata"];
        assert_eq!(metadata["filename"], "żółw.txt");
        assert_eq!(metadata["file_size"], content.len());
        assert_eq!(metadata["file_type"], "text/plain");
        assert_eq!(metadata["sha256"], sha256(content));
        let at = metadata["upload_timestamp"].as_str().expect("a time");
        assert!(at.len() == 27 && at.ends_with('Z'), "{at}");

        assert_eq!(&get(&router, client, "documents/1").await.json(), metadata);
        let read = get(&router, client, "documents/1/content").await;
        assert_eq!(read.status, StatusCode::OK);
        assert!(read.body == content, "{client}");
        assert_eq!(
            read.headers[header::CONTENT_LENGTH],
            content.len().to_string()
        );
        assert_eq!(read.headers[header::CONTENT_TYPE], "text/plain");
        assert_eq!(
            read.headers[header::ETAG],
            format!("\"{}\"", sha256(content))
        );
        assert_eq!(read.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let disposition = read.headers[header::CONTENT_DISPOSITION]
            .to_str()
            .expect("ASCII");
        assert!(disposition.ends_with("filename*=UTF-8''%C5%BC%C3%B3%C5%82w.txt"));
        let head = ask(&router, Method::HEAD, client, "documents/1/content").await;
        assert_eq!(
            head.headers[header::CONTENT_LENGTH],
            content.len().to_string()
        );
        assert!(head.body.is_empty());
    }
    for missing in ["documents/2", "documents/2/content"] {
        assert_eq!(
            get(&router, "globex", missing).await.status,
            StatusCode::NOT_FOUND
        );
    }
    assert_eq!(tenancy.objects(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_type_of_a_document_is_what_its_bytes_show() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    for (content, shown) in [
        (png.as_slice(), "image/png"),
        (b"\0\x01\x02", "application/octet-stream"),
    ] {
        let answer = upload(&router, "globex", "a.txt", content).await;
        assert_eq!(answer.json()["metadata"]["file_type"], shown, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_itself_refuses_one_client_the_rows_of_another() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let (globex, initech) = (tenancy.identity("globex"), tenancy.identity("initech"));
    let mut connection = postgres
        .login(&globex.role, &password("globex"))
        .await
        .expect("its own password");
    let own = "SELECT count(*) FROM document_metadata";
    sqlx::query(own)
        .fetch_one(&mut connection)
        .await
        .expect("its own rows");
    let other = format!("SELECT count(*) FROM {}.document_metadata", initech.schema);
    let error = sqlx::query(AssertSqlSafe(other))
        .fetch_one(&mut connection)
        .await;
    let error = error.expect_err("another client's rows");
    let code = error
        .as_database_error()
        .and_then(|error| error.code().map(String::from));
    assert_eq!(code.as_deref(), Some("42501"));
    assert!(
        postgres
            .login(&initech.role, &password("globex"))
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_store_records_content_that_is_there_and_refuses_any_other() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let app = tenancy.app();
    let router = data_store_router(app);
    let key = "018f4e5a-0000-7000-8000-000000000001";
    let folder = tenancy
        .folder
        .path()
        .join("content")
        .join(tenancy.identity("globex").schema);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join(key), b"hello").expect("content");
    let wanted = json!({
        "filename": "a.txt", "file_size": 5, "file_type": "text/plain",
        "content_key": key, "sha256": sha256(b"hello"),
    });
    let with = |member: &str, value: Value| {
        let mut changed = wanted.clone();
        changed[member] = value;
        changed
    };

    for refused in [
        with("file_size", json!(6)),
        with("content_key", json!("018f4e5a-0000-7000-8000-000000000002")),
        with("content_key", json!("../other")),
        with("sha256", json!("abc")),
        with("sha256", json!(sha256(b"other"))),
        with("file_type", json!("nonsense")),
        with("surprise", json!(1)),
    ] {
        let answer = record(&router, &refused).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    }
    let created = record(&router, &wanted).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let id = created.json()["id"].as_i64().expect("an id");
    let read = get(&router, "globex", &format!("documents/{id}")).await;
    assert_eq!(read.json(), created.json());
    let again = record(&router, &wanted).await;
    assert_eq!(
        again.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the key is taken"
    );
    assert_eq!(
        get(&router, "globex", "upload-document").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(tenancy.objects(), 1, "content that was there before stays");

    let health = health(&router, "/health").await;
    assert_eq!(health.status, StatusCode::OK);
    let body = health.json();
    assert_eq!(body["status"], "healthy");
    assert_eq!(body["database"]["status"], "healthy");
    assert!(body["database"]["latency_ms"].is_f64());
    assert_eq!(body["tables"]["document_metadata"], "healthy");
}

async fn record(router: &Router, body: &Value) -> Answer {
    let request = Request::post("/clients/globex/documents")
        .header("x-api-key", "globex-key")
        .header(header::CONTENT_TYPE, "application/json");
    send(
        router,
        request
            .body(Body::from(body.to_string()))
            .expect("a request"),
    )
    .await
}

async fn health(router: &Router, path: &str) -> Answer {
    send(
        router,
        Request::get(path).body(Body::empty()).expect("a request"),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_database_is_503_and_ends_without_a_restart() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app_with(&["--request-timeout=3s"]));
    assert_eq!(
        upload(&router, "globex", "a.txt", b"one").await.status,
        StatusCode::CREATED
    );
    assert_eq!(health(&router, "/readyz").await.status, StatusCode::OK);

    postgres.stop();
    let away = get(&router, "globex", "documents/1").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE, "{away:?}");
    assert!(away.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(
        away.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    let refused = upload(&router, "globex", "b.txt", b"two").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    eventually("what was not acknowledged is gone", async || {
        tenancy.objects() == 1
    })
    .await;
    eventually("unhealthy", async || {
        health(&router, "/health").await.status == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    let ready = health(&router, "/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "no other server could help");

    postgres.resume();
    eventually("served again", async || {
        get(&router, "globex", "documents/1").await.status == StatusCode::OK
    })
    .await;
    eventually("healthy again", async || {
        health(&router, "/health").await.status == StatusCode::OK
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_version_is_not_served() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let schema = tenancy.identity("globex").schema;
    let mut superuser = postgres.superuser().await;
    for (change, status, health_status, reason) in [
        (
            "DELETE FROM schema_migrations",
            "degraded",
            StatusCode::OK,
            "older",
        ),
        (
            "INSERT INTO schema_migrations VALUES ('documents', 999, 'future', '')",
            "unhealthy",
            StatusCode::SERVICE_UNAVAILABLE,
            "newer",
        ),
        (
            "DROP TABLE schema_migrations",
            "degraded",
            StatusCode::OK,
            "not provisioned",
        ),
    ] {
        let sql = format!("SET search_path = {schema}; {change}");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut superuser)
            .await
            .expect("changed");
        let router = public_router(tenancy.app());
        let ready = health(&router, "/readyz").await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{change}");
        assert!(ready.text().contains(reason), "{ready:?}");
        let answer = health(&router, "/health").await;
        assert_eq!(answer.status, health_status, "{answer:?}");
        assert_eq!(answer.json()["status"], status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_served_goes_only_when_a_schema_has_outgrown_it() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    assert_eq!(health(&router, "/readyz").await.status, StatusCode::OK);
    let mut superuser = postgres.superuser().await;
    let schema = tenancy.identity("globex").schema;
    let mut change = async |sql: String| {
        let changed = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut superuser);
        changed.await.expect("changed");
    };
    change(format!("ALTER TABLE {schema}.audit_log RENAME TO away")).await;
    eventually("one client is not served", async || {
        health(&router, "/health").await.json()["status"] == "degraded"
    })
    .await;
    let ready = health(&router, "/readyz").await;
    assert_eq!(
        ready.status,
        StatusCode::OK,
        "the other client is: {ready:?}"
    );

    change(format!(
        "INSERT INTO {schema}.schema_migrations VALUES ('platform', 999, 'future', '')"
    ))
    .await;
    eventually("taken out", async || {
        let ready = health(&router, "/readyz").await;
        ready.status == StatusCode::SERVICE_UNAVAILABLE && ready.text().contains("newer")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_one_version_ahead_is_served_while_the_new_pods_start() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let schema = tenancy.identity("globex").schema;
    let sql = format!(
        "INSERT INTO {schema}.schema_migrations VALUES ('documents', {}, 'next', '')",
        latest_version("documents") + 1
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut postgres.superuser().await)
        .await
        .expect("migrated");
    let router = public_router(tenancy.app());
    let ready = health(&router, "/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "{ready:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_carries_its_trace_into_the_log_of_postgres() {
    crate::support::telemetry();
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let role = tenancy.identity("globex").role;
    sqlx::query(AssertSqlSafe(format!(
        "ALTER ROLE {role} SET log_statement = 'all'"
    )))
    .execute(&mut postgres.superuser().await)
    .await
    .expect("set");
    let router = public_router(tenancy.app());
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = Request::get("/clients/globex/documents/1")
        .header("x-api-key", "globex-key")
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    send(&router, request.body(Body::empty()).expect("a request")).await;
    let log = postgres.host().join("log");
    eventually("the trace is in the log", async || {
        let log = std::fs::read_to_string(&log).expect("a log");
        log.contains(&format!(
            "deleted_timestamp IS NULL /*traceparent='00-{trace}-"
        ))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_uploads_at_once_wait_for_the_few_connections_of_their_client() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let uploads = (0..32).map(|i| {
        let (router, name) = (router.clone(), format!("{i}.txt"));
        async move {
            upload(&router, "globex", &name, name.as_bytes())
                .await
                .status
        }
    });
    let statuses = futures::future::join_all(uploads).await;
    assert!(
        statuses.iter().all(|status| *status == StatusCode::CREATED),
        "{statuses:?}"
    );
    let mut superuser = postgres.superuser().await;
    let open = sqlx::query("SELECT count(*) AS open FROM pg_stat_activity WHERE usename = $1")
        .bind(tenancy.identity("globex").role)
        .fetch_one(&mut superuser)
        .await
        .expect("a count");
    let open: i64 = open.get("open");
    // The first of them also read whose the bucket's prefix is.
    let most = i64::from(docket_contract::CONNECTIONS_PER_CLIENT);
    assert!((1..=most).contains(&open), "{open}");
    let metrics = health(&router, "/metrics").await.text();
    for series in [
        r#"database_operations_total{operation="INSERT",success="true",table="document_metadata"}"#,
        r#"database_connection_pool{state="max"} 64"#,
    ] {
        assert!(metrics.contains(series), "{series} in {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_store_takes_no_more_than_an_upload_may_bring() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let uploads = json!({"maxBytes": 10, "acceptedTypes": ["text/plain"]});
    tenancy.config["workloads"]["documents"]["uploads"] = uploads;
    let router = data_store_router(tenancy.app());
    let folder = tenancy.folder.path().join("content");
    let folder = folder.join(tenancy.identity("globex").schema);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (number, content, status, problem) in [
        (1, &b"ten bytes."[..], StatusCode::CREATED, None),
        (
            2,
            b"eleven byte",
            StatusCode::PAYLOAD_TOO_LARGE,
            Some("too-large"),
        ),
        // What it is said to be is taken, and its bytes show something else.
        (
            3,
            b"%PDF-1.7\xe2\0",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Some("type-not-accepted"),
        ),
    ] {
        let key = format!("018f4e5a-0000-7000-8000-00000000000{number}");
        std::fs::write(folder.join(&key), content).expect("content");
        let sent = json!({
            "filename": "a.txt", "file_size": content.len(), "file_type": "text/plain",
            "content_key": key, "sha256": sha256(content),
        });
        let answer = record(&router, &sent).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if let Some(problem) = problem {
            assert_eq!(
                answer.json()["type"],
                format!("urn:docket:problem:{problem}")
            );
        }
    }
}

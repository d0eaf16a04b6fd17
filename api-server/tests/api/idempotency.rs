//! `Idempotency-Key` against a real Postgres: what is sent twice is stored once.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use docket_api_server::public_router;
use docket_platform::idempotency::Expire;
use docket_platform::tenant::Tenant;
use futures::SinkExt as _;
use http::{Request, StatusCode, header};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::postgres::Postgres;
use crate::support::requests::upload;
use crate::support::{Answer, Tenancy, eventually, password, send};

/// What is sent under a key; the boundary is of no meaning.
struct Sending<'a> {
    key: &'a str,
    boundary: &'a str,
    filename: &'a str,
    content: &'a [u8],
}

const FIRST: Sending<'static> = Sending {
    key: "order-1",
    boundary: "b",
    filename: "a.txt",
    content: b"hello",
};

impl Sending<'_> {
    fn body(&self) -> Vec<u8> {
        let mut body = format!(
            "--{b}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/plain\r\n\r\n",
            b = self.boundary,
            name = self.filename,
        )
        .into_bytes();
        body.extend_from_slice(self.content);
        body.extend_from_slice(format!("\r\n--{}--\r\n", self.boundary).as_bytes());
        body
    }

    fn request(&self, body: Body) -> Request<Body> {
        let boundary = format!("multipart/form-data; boundary={}", self.boundary);
        Request::put("/clients/globex/upload-document")
            .header("x-api-key", "globex-key")
            .header("idempotency-key", self.key)
            .header(header::CONTENT_TYPE, boundary)
            .body(body)
            .expect("a request")
    }

    async fn send(&self, router: &Router) -> Answer {
        send(router, self.request(Body::from(self.body()))).await
    }
}

fn problem(answer: &Answer) -> String {
    let problem = answer.json();
    let kind = problem["type"].as_str().expect("a type");
    kind.trim_start_matches("urn:docket:problem:").to_owned()
}

async fn login(postgres: &Postgres, tenancy: &Tenancy) -> PgConnection {
    let role = tenancy.identity("globex").role;
    let connection = postgres.login(&role, &password("globex")).await;
    connection.expect("a login")
}

async fn count(connection: &mut PgConnection, of: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {of}")))
        .fetch_one(connection)
        .await
        .expect("a count")
}

async fn run(connection: &mut PgConnection, sql: &'static str) {
    let done = sqlx::query(sql).execute(connection).await;
    done.expect("done");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_gets_the_same_answer_and_is_stored_once() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let first = FIRST.send(&router).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let large = vec![b'x'; 9_000_000];
    for again in [
        FIRST,
        Sending {
            key: "\"order-1\"",
            boundary: "other",
            ..FIRST
        },
    ] {
        let again = again.send(&router).await;
        assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
        assert_eq!(again.body, first.body);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(
            again.headers[header::CONTENT_TYPE],
            first.headers[header::CONTENT_TYPE]
        );
    }
    for other in [
        Sending {
            content: b"hallo",
            ..FIRST
        },
        Sending {
            filename: "b.txt",
            ..FIRST
        },
        Sending {
            content: &large,
            ..FIRST
        },
    ] {
        let other = other.send(&router).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{other:?}");
        assert_eq!(problem(&other), "idempotency-key-reused");
    }
    assert_eq!(tenancy.objects(), 1);
    let new = Sending {
        key: "order-2",
        ..FIRST
    };
    assert_eq!(new.send(&router).await.json()["document_id"], 2);
    let without = upload(&router, "globex", "a.txt", b"hello").await;
    assert_eq!(without.json()["document_id"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_16_at_once_with_one_key_one_is_stored() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let sendings = (0..16).map(|_| {
        let router = router.clone();
        tokio::spawn(async move { FIRST.send(&router).await })
    });
    let answers = futures::future::join_all(sendings).await;
    let (mut created, mut body) = (0, None);
    for answer in answers {
        let answer = answer.expect("joined");
        match answer.status {
            StatusCode::CREATED => {
                let replayed = answer.headers.contains_key("idempotency-replayed");
                created += u32::from(!replayed);
                let first = body.get_or_insert_with(|| answer.body.clone());
                assert_eq!(*first, answer.body);
            }
            StatusCode::CONFLICT => {
                assert_eq!(problem(&answer), "idempotency-key-in-use");
                assert!(answer.headers.contains_key(header::RETRY_AFTER));
            }
            _ => assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}"),
        }
    }
    assert_eq!(created, 1);
    let mut connection = login(&postgres, &tenancy).await;
    assert_eq!(count(&mut connection, "document_metadata").await, 1);
    assert_eq!(tenancy.objects(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_server_that_died_is_in_use_until_its_lease_ends() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let mut connection = login(&postgres, &tenancy).await;
    let died = "INSERT INTO idempotency_keys (key, holder, leased_until) \
                VALUES ('order-1', gen_random_uuid(), now() + interval '1 minute')";
    run(&mut connection, died).await;
    let early = FIRST.send(&router).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{early:?}");
    assert_eq!(tenancy.objects(), 0);
    let over = "UPDATE idempotency_keys SET leased_until = now() - interval '1 second'";
    run(&mut connection, over).await;
    let late = FIRST.send(&router).await;
    assert_eq!(late.status, StatusCode::CREATED, "{late:?}");
    assert_eq!(FIRST.send(&router).await.body, late.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_upload_keeps_no_key() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    tenancy.config["clients"][0]["limits"]["documents"]["quota"] =
        serde_json::json!({"documents": 1});
    let router = public_router(tenancy.app());
    let nameless = Sending {
        filename: "",
        ..FIRST
    };
    let refused = nameless.send(&router).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem(&refused), "unprocessable");
    let mut connection = login(&postgres, &tenancy).await;
    assert_eq!(count(&mut connection, "idempotency_keys").await, 0);
    let first = FIRST.send(&router).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    let second = Sending {
        key: "order-2",
        ..FIRST
    };
    assert_eq!(problem(&second.send(&router).await), "quota-exceeded");
    let again = FIRST.send(&router).await;
    assert_eq!(again.body, first.body, "a full quota does not matter to it");
    assert_eq!(count(&mut connection, "idempotency_keys").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_goes_away_frees_its_key() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let mut connection = login(&postgres, &tenancy).await;
    let (_body, uploading) = slow(&router);
    eventually("the key is in use", async || {
        count(&mut connection, "idempotency_keys").await == 1
    })
    .await;
    let meanwhile = FIRST.send(&router).await;
    assert_eq!(problem(&meanwhile), "idempotency-key-in-use");
    uploading.abort();
    eventually("the key is free", async || {
        count(&mut connection, "idempotency_keys").await == 0
    })
    .await;
    let again = FIRST.send(&router).await;
    assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_upload_renews_its_lease_and_one_that_lost_it_stores_nothing() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app_with(&["--request-timeout=60s"]));
    let mut connection = login(&postgres, &tenancy).await;
    let (mut body, uploading) = slow(&router);
    let fresh = "idempotency_keys WHERE leased_until > now() + interval '25 seconds'";
    eventually("the key is in use", async || {
        count(&mut connection, fresh).await == 1
    })
    .await;
    eventually("the lease is older", async || {
        count(&mut connection, fresh).await == 0
    })
    .await;
    eventually("the lease is renewed", async || {
        count(&mut connection, fresh).await == 1
    })
    .await;
    let stolen = "UPDATE idempotency_keys SET holder = gen_random_uuid()";
    run(&mut connection, stolen).await;
    body.send(FIRST.body().split_off(20)).await.expect("read");
    drop(body);
    let lost = uploading.await.expect("joined");
    assert_eq!(lost.status, StatusCode::CONFLICT, "{lost:?}");
    assert_eq!(problem(&lost), "idempotency-key-in-use");
    assert_eq!(count(&mut connection, "document_metadata").await, 0);
    tenancy.content_becomes_empty().await;
    assert_eq!(count(&mut connection, "idempotency_keys").await, 1);
}

/// An upload that has sent 20 bytes, and where the rest can be sent.
fn slow(
    router: &Router,
) -> (
    futures::channel::mpsc::Sender<Vec<u8>>,
    tokio::task::JoinHandle<Answer>,
) {
    use futures::StreamExt as _;
    let (mut sender, receiver) = futures::channel::mpsc::channel(2);
    let mut start = FIRST.body();
    start.truncate(20);
    sender.try_send(start).expect("room");
    let body = receiver.map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    let request = FIRST.request(Body::from_stream(body));
    let router = router.clone();
    let uploading = tokio::spawn(async move { send(&router, request).await });
    (sender, uploading)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_forgotten_after_a_day_and_not_before() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let app = tenancy.app();
    let router = public_router(app.clone());
    let tenant = Tenant::load(&tenancy.config_file()).expect("a tenant");
    let globex = tenant.clients().next().expect("a client");
    let first = FIRST.send(&router).await;
    let expire = Expire::new(app.platform().database.clone());
    let expired = async || expire.expire(globex).await.expect("gone");
    assert_eq!(expired().await, 0);
    let mut connection = login(&postgres, &tenancy).await;
    let aged = "UPDATE idempotency_keys SET created_at = now() - interval '25 hours'";
    run(&mut connection, aged).await;
    assert_eq!(expired().await, 0, "its lease is not over");
    let second = FIRST.send(&router).await;
    assert_ne!(second.body, first.body, "a new upload");
    assert_eq!(FIRST.send(&router).await.body, second.body);
    run(&mut connection, aged).await;
    let over = "UPDATE idempotency_keys SET leased_until = now() - interval '24 hours'";
    run(&mut connection, over).await;
    assert_eq!(expired().await, 1);
    assert_eq!(count(&mut connection, "idempotency_keys").await, 0);
}

#[tokio::test]
async fn what_is_no_key_is_400() {
    let tenancy = Tenancy::without_database("ApiKey");
    let router = public_router(tenancy.app());
    for key in ["", "\"open", "\"\"", &"k".repeat(256)] {
        let sending = Sending { key, ..FIRST };
        let limit = Duration::from_secs(5);
        let answer = tokio::time::timeout(limit, sending.send(&router)).await;
        let answer = answer.expect("an answer without a database");
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{key}");
        assert!(answer.text().contains("Idempotency-Key"), "{answer:?}");
    }
}

//! What a client may store at most, against a real Postgres.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use docket_api_server::{data_store_router, public_router};
use docket_documents::COUNTERS;
use docket_platform::tenant::Tenant;
use docket_platform::usage::Recount;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use crate::support::postgres::Postgres;
use crate::support::requests::{sha256, upload};
use crate::support::{Answer, Tenancy, password, send};

/// A tenant whose client `globex` may store no more than `quota`.
async fn limited(postgres: &Postgres, quota: Value) -> Tenancy {
    let mut tenancy = postgres.tenancy("acme").await;
    tenancy.config["clients"][0]["limits"]["documents"]["quota"] = quota;
    tenancy
}

async fn login(postgres: &Postgres, tenancy: &Tenancy, client: &str) -> PgConnection {
    let role = tenancy.identity(client).role;
    let connection = postgres.login(&role, &password(client)).await;
    connection.expect("a login")
}

/// An upload of a client that comes again when it is told that too much is going on.
async fn patient_upload(router: &Router, size: usize) -> Answer {
    loop {
        let answer = upload(router, "globex", "a.txt", &vec![b'x'; size]).await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer;
        }
    }
}

/// Documents and bytes as counted, as stored, and the number of slots that have any.
async fn counts(connection: &mut PgConnection) -> ([i64; 2], [i64; 2], i64) {
    let sql = "SELECT sum(amount) FILTER (WHERE counter = 'documents')::bigint, \
               sum(amount) FILTER (WHERE counter = 'bytes')::bigint, \
               (SELECT count(*) FROM document_metadata), \
               (SELECT coalesce(sum(file_size), 0)::bigint FROM document_metadata), \
               count(*) FILTER (WHERE counter = 'documents' AND amount <> 0) FROM usage";
    let row = sqlx::query(sql)
        .fetch_one(connection)
        .await
        .expect("counts");
    let n = |i: usize| row.get::<i64, _>(i);
    ([n(0), n(1)], [n(2), n(3)], n(4))
}

fn is_refused(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN
        && answer.json()["type"] == "urn:docket:problem:quota-exceeded"
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_uploads_at_once_into_a_quota_of_10_exactly_10_are_created() {
    let postgres = Postgres::start();
    let tenancy = limited(&postgres, json!({"documents": 10})).await;
    let router = public_router(tenancy.app());
    let uploads = (0..64).map(|_| {
        let router = router.clone();
        tokio::spawn(async move { patient_upload(&router, 4).await })
    });
    let answers = futures::future::join_all(uploads).await;
    let (mut created, mut refused) = (0, 0);
    for answer in answers {
        let answer = answer.expect("joined");
        created += u32::from(answer.status == StatusCode::CREATED);
        refused += u32::from(is_refused(&answer));
    }
    assert_eq!((created, refused), (10, 54));
    let mut connection = login(&postgres, &tenancy, "globex").await;
    let (counted, stored, slots) = counts(&mut connection).await;
    assert_eq!(counted, [10, 40]);
    assert_eq!(stored, counted);
    assert_eq!(
        slots, 1,
        "only one row may be written while a quota is kept"
    );
    let entries: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_log")
        .fetch_one(&mut connection)
        .await
        .expect("a count");
    assert_eq!(entries, 10);
    crate::support::eventually("what was refused is gone", async || tenancy.objects() == 10).await;
    let other = upload(&router, "initech", "a.txt", b"x").await;
    assert_eq!(other.status, StatusCode::CREATED, "another client's");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_any_size_at_once_never_exceed_a_quota_of_bytes() {
    let postgres = Postgres::start();
    let tenancy = limited(&postgres, json!({"bytes": 1000})).await;
    let router = public_router(tenancy.app());
    let uploads = (0..64_usize).map(|i| {
        let router = router.clone();
        let size = 1 + i * 37 % 100;
        tokio::spawn(async move { (size, patient_upload(&router, size).await) })
    });
    let answers = futures::future::join_all(uploads).await;
    let mut smallest = usize::MAX;
    for answer in answers {
        let (size, answer) = answer.expect("joined");
        match answer.status {
            StatusCode::CREATED => {}
            _ => {
                assert!(is_refused(&answer), "{answer:?}");
                smallest = smallest.min(size);
            }
        }
    }
    let mut connection = login(&postgres, &tenancy, "globex").await;
    let (counted, stored, _) = counts(&mut connection).await;
    assert_eq!(counted, stored);
    let used = usize::try_from(counted[1]).expect("bytes");
    assert!(used <= 1000, "{used}");
    assert!(used + smallest > 1000, "{smallest} fit beside {used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_quota_spreads_what_it_counts() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    for _ in 0..40 {
        upload(&router, "globex", "a.txt", b"four").await;
    }
    let mut connection = login(&postgres, &tenancy, "globex").await;
    let (counted, stored, slots) = counts(&mut connection).await;
    assert_eq!(counted, [40, 160]);
    assert_eq!(stored, counted);
    assert!(slots > 1, "40 uploads in {slots} slot");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_set_later_counts_what_is_there() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    for _ in 0..20 {
        upload(&router, "globex", "a.txt", b"four").await;
    }
    tenancy.config["clients"][0]["limits"]["documents"]["quota"] =
        json!({"documents": 21, "bytes": 100});
    let router = public_router(tenancy.app());
    let last = upload(&router, "globex", "a.txt", b"four").await;
    assert_eq!(last.status, StatusCode::CREATED, "{last:?}");
    let refused = upload(&router, "globex", "a.txt", b"four").await;
    assert!(is_refused(&refused), "{refused:?}");
    let detail = refused.json()["detail"].as_str().expect("text").to_owned();
    assert!(
        detail.contains("21 of 21 documents and 84 of 100 bytes are used"),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_fit_is_refused_before_it_is_read() {
    let postgres = Postgres::start();
    let tenancy = limited(&postgres, json!({"bytes": 1000})).await;
    let router = public_router(tenancy.app());
    let body = futures::stream::once(async {
        panic!("the body was read");
        #[allow(unreachable_code)]
        Ok::<_, Infallible>(Bytes::new())
    });
    let request = Request::put("/clients/globex/upload-document")
        .header("x-api-key", "globex-key")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .header(header::CONTENT_LENGTH, 1_000_000);
    let request = request.body(Body::from_stream(body)).expect("a request");
    let answer = send(&router, request).await;
    assert!(is_refused(&answer), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_store_keeps_the_quota_too() {
    let postgres = Postgres::start();
    let tenancy = limited(&postgres, json!({"documents": 1})).await;
    let router = data_store_router(tenancy.app());
    let folder = tenancy.folder.path().join("content");
    let folder = folder.join(tenancy.identity("globex").schema);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (key, status) in [
        ("018f4e5a-0000-7000-8000-000000000001", StatusCode::CREATED),
        (
            "018f4e5a-0000-7000-8000-000000000002",
            StatusCode::FORBIDDEN,
        ),
    ] {
        std::fs::write(folder.join(key), b"hello").expect("content");
        let answer = record(&router, key).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(tenancy.objects(), 2, "content that was there before stays");
}

async fn record(router: &Router, key: &str) -> Answer {
    let body = json!({
        "filename": "a.txt", "file_size": 5, "file_type": "text/plain",
        "content_key": key, "sha256": sha256(b"hello"),
    });
    let request = Request::post("/clients/globex/documents")
        .header("x-api-key", "globex-key")
        .header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string()));
    send(router, request.expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recount_finds_what_was_stored_without_counting_and_loses_no_upload_meanwhile() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let app = tenancy.app();
    let router = public_router(app.clone());
    let tenant = Tenant::load(&tenancy.config_file()).expect("a tenant");
    let globex = tenant.clients().next().expect("a client");
    assert_eq!(globex.name, "globex");
    upload(&router, "globex", "a.txt", b"four").await;
    let recount = Recount::new(app.platform().database.clone(), vec![&COUNTERS]);
    assert!(!recount.recount(globex).await.expect("recounted"));

    let mut connection = login(&postgres, &tenancy, "globex").await;
    let sql = "INSERT INTO document_metadata (filename, file_size, file_type, content_key, sha256) \
               VALUES ('b', 50, 'text/plain', gen_random_uuid(), sha256('x')); \
               INSERT INTO document_versions \
               SELECT id, 1, 7, 'text/plain', gen_random_uuid(), sha256('x'), now() \
               FROM document_metadata WHERE filename = 'b'";
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("stored");
    let uploads = (0..40).map(|_| {
        let router = router.clone();
        tokio::spawn(async move { patient_upload(&router, 4).await.status })
    });
    let uploads = futures::future::join_all(uploads);
    let recounts = async {
        let mut changed = 0;
        for _ in 0..10 {
            changed += u32::from(recount.recount(globex).await.expect("recounted"));
        }
        changed
    };
    let (statuses, changed) = tokio::join!(uploads, recounts);
    assert!(
        statuses
            .iter()
            .all(|it| it.as_ref().is_ok_and(|it| *it == StatusCode::CREATED))
    );
    assert_eq!(changed, 1, "what is counted right needs no change");
    let (counted, _, _) = counts(&mut connection).await;
    assert_eq!(counted, [42, 41 * 4 + 50 + 7]);
}

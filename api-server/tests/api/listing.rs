//! Listing documents against a real Postgres: order, pages, filters.

use axum::Router;
use docket_api_server::public_router;
use http::{HeaderName, Method, StatusCode, header};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::postgres::Postgres;
use crate::support::requests::{ask_with, get, shown, upload};
use crate::support::{Answer, eventually, password};

/// Records a document without content, as uploaded `seconds` after the epoch.
async fn record(connection: &mut PgConnection, name: &str, file_type: &str, seconds: i64) {
    let sql = "INSERT INTO document_metadata \
               (filename, file_size, file_type, content_key, sha256, upload_timestamp) \
               VALUES ($1, 1, $2, gen_random_uuid(), sha256('x'), to_timestamp($3::bigint))";
    sqlx::query(sql)
        .bind(name)
        .bind(file_type)
        .bind(seconds)
        .execute(connection)
        .await
        .expect("recorded");
}

async fn page(router: &Router, query: &str) -> Answer {
    let answer = get(router, "globex", &format!("documents?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer
}

/// The target of `rel="next"`, below the routes of the client.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.headers.get(header::LINK)?.to_str().expect("ASCII");
    let target = link
        .strip_prefix("</clients/globex/documents?")
        .and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    Some(target.unwrap_or_else(|| panic!("{link}")).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_come_first_each_client_its_own() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    let empty = page(&router, "").await;
    assert_eq!(empty.text(), r#"{"documents":[],"next":null}"#);
    for name in ["a.txt", "b.txt", "c.txt"] {
        upload(&router, "globex", name, b"x").await;
    }
    upload(&router, "initech", "other.txt", b"x").await;
    let all = page(&router, "").await;
    assert_eq!(shown(&all, "filename"), ["c.txt", "b.txt", "a.txt"]);
    assert_eq!(all.json()["next"], Value::Null);
    assert!(!all.headers.contains_key(header::LINK));
    let newest = get(&router, "globex", "documents/3").await;
    assert_eq!(all.json()["documents"][0], newest.json());

    let first = page(&router, "limit=2").await;
    assert_eq!(shown(&first, "filename"), ["c.txt", "b.txt"]);
    let next = next(&first).expect("a link");
    let cursor = first.json()["next"].as_str().expect("a cursor").to_owned();
    assert_eq!(next, format!("limit=2&cursor={cursor}"));
    let last = page(&router, &next).await;
    assert_eq!(shown(&last, "filename"), ["a.txt"]);
    assert_eq!(last.json()["next"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_show_what_they_say() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let role = tenancy.identity("globex").role;
    let mut connection = postgres
        .login(&role, &password("globex"))
        .await
        .expect("a login");
    for (name, file_type, seconds) in [
        ("report_1.PDF", "application/pdf", 100),
        ("notes.txt", "text/plain; charset=utf-8", 200),
        ("100%.png", "image/png", 300),
        ("page.html", "Text/HTML", 400),
    ] {
        record(&mut connection, name, file_type, seconds).await;
    }
    let router = public_router(tenancy.app());
    for (query, expected) in [
        ("type=text/plain", vec!["notes.txt"]),
        ("type=TEXT/*", vec!["page.html", "notes.txt"]),
        ("type=application/p%25", vec![]),
        ("type=image/png&name=png", vec!["100%.png"]),
        ("name=PAGE", vec!["page.html"]),
        ("name=.pdf", vec!["report_1.PDF"]),
        ("name=%25", vec!["100%.png"]),
        ("name=_", vec!["report_1.PDF"]),
        (
            "uploaded_after=1970-01-01T00:03:20Z",
            vec!["page.html", "100%.png"],
        ),
        (
            "uploaded_before=1970-01-01T01:03:20%2B01:00",
            vec!["report_1.PDF"],
        ),
        (
            "uploaded_after=1970-01-01T00:01:40Z&uploaded_before=1970-01-01T00:05:00Z",
            vec!["notes.txt"],
        ),
        (
            "uploaded_after=0000-01-01T00:00:00%2B23:59&limit=1",
            vec!["page.html"],
        ),
        (
            "uploaded_before=9999-12-31T23:59:59-23:59&limit=1",
            vec!["page.html"],
        ),
    ] {
        assert_eq!(
            shown(&page(&router, query).await, "filename"),
            expected,
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_makes_no_sense_is_400_and_named() {
    let tenancy = crate::support::Tenancy::without_database("ApiKey");
    let router = public_router(tenancy.app());
    for (query, named) in [
        ("limit=0", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=80000000000000000000000000000000", "cursor"),
        ("type=image", "type"),
        ("name=a%00", "name"),
        ("uploaded_after=now", "uploaded_after"),
        ("sort=name", "sort"),
    ] {
        let answer = get(&router, "globex", &format!("documents?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let problem = answer.json();
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(&format!("{named:?}")), "{query}: {detail}");
    }
}

/// What one run of the property below does.
#[derive(Clone, Debug)]
struct Walk {
    /// Time and type of what is there before the walk: few times, so that many are equal.
    documents: Vec<(i64, bool)>,
    limit: u32,
    filtered: bool,
}

fn walk() -> impl Strategy<Value = Walk> {
    let documents = prop::collection::vec((0_i64..4, any::<bool>()), 0..25);
    (documents, 1_u32..8, any::<bool>()).prop_map(|(documents, limit, filtered)| Walk {
        documents,
        limit,
        filtered,
    })
}

const TYPES: [&str; 2] = ["text/plain", "image/png"];

/// Pages put together, while a document is recorded between each two, are the list of the start.
async fn pages_are_the_whole(
    router: &Router,
    connection: &mut PgConnection,
    walk: &Walk,
) -> Result<(), TestCaseError> {
    sqlx::query("DELETE FROM document_metadata")
        .execute(&mut *connection)
        .await
        .expect("emptied");
    for (seconds, image) in &walk.documents {
        record(connection, "a", TYPES[usize::from(*image)], *seconds).await;
    }
    let of_type = if walk.filtered { "image/%" } else { "%" };
    let sql = "SELECT id FROM document_metadata WHERE file_type LIKE $1";
    let expected: Vec<(i64,)> = sqlx::query_as(AssertSqlSafe(format!(
        "{sql} ORDER BY upload_timestamp DESC, id DESC"
    )))
    .bind(of_type)
    .fetch_all(&mut *connection)
    .await
    .expect("ids");
    let mut query = format!("limit={}", walk.limit);
    if walk.filtered {
        query.push_str("&type=image/*");
    }
    let mut seen = Vec::new();
    loop {
        let answer = page(router, &query).await;
        let ids = shown(&answer, "id");
        prop_assert!(ids.len() <= walk.limit as usize);
        seen.extend(ids.iter().map(|id| (id.as_i64().expect("an id"),)));
        match next(&answer) {
            Some(next) => query = next,
            None => break,
        }
        record(connection, "late", "image/png", 1_000_000_000).await;
    }
    prop_assert_eq!(seen, expected);
    Ok(())
}

#[test]
fn pages_put_together_are_the_list_also_while_documents_come_in() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (postgres, tenancy, router, mut connection) = runtime.block_on(async {
        let postgres = Postgres::start();
        let tenancy = postgres.tenancy("acme").await;
        let router = public_router(tenancy.app());
        let role = tenancy.identity("globex").role;
        let connection = postgres.login(&role, &password("globex")).await;
        (postgres, tenancy, router, connection.expect("a login"))
    });
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    let connection = std::cell::RefCell::new(&mut connection);
    TestRunner::new(config)
        .run(&walk(), |walk| {
            let mut connection = connection.borrow_mut();
            runtime.block_on(pages_are_the_whole(&router, &mut connection, &walk))
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    drop((postgres, tenancy));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_a_walk_along_the_index_however_often_it_is_asked_for() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let identity = tenancy.identity("globex");
    let mut superuser = postgres.superuser().await;
    let sql = format!(
        "SET search_path = {schema}; \
         INSERT INTO document_metadata (filename, file_size, file_type, content_key, sha256, upload_timestamp) \
         SELECT 'a.txt', 1, 'text/plain', gen_random_uuid(), sha256('x'), to_timestamp(i) \
         FROM generate_series(1, 20000) AS i; ANALYZE document_metadata; \
         ALTER ROLE {role} SET session_preload_libraries = 'auto_explain'; \
         ALTER ROLE {role} SET auto_explain.log_min_duration = 0",
        schema = identity.schema,
        role = identity.role,
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut superuser)
        .await
        .expect("filled");
    let router = public_router(tenancy.app());
    let mut path = "documents?limit=2".to_owned();
    // From the sixth time on, Postgres may keep one plan for all values of a prepared statement,
    // and only statements of a trace that nobody keeps stay prepared.
    let unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let headers = [(HeaderName::from_static("traceparent"), unsampled)];
    for _ in 0..8 {
        let answer = ask_with(&router, Method::GET, "globex", &path, &headers).await;
        path = format!("documents?{}", next(&answer).expect("more"));
    }
    let log = postgres.host().join("log");
    eventually("the plans are in the log", async || {
        plans(&log).matches("Query Text: SELECT id").count() == 8
    })
    .await;
    let plans = plans(&log);
    let walks = plans.matches("Backward using document_metadata_live");
    assert_eq!(walks.count(), 8, "{plans}");
}

fn plans(log: &std::path::Path) -> String {
    std::fs::read_to_string(log).expect("a log")
}

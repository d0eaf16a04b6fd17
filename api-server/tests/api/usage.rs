//! What a client uses and did, against a real Postgres.

use docket_api_server::{data_store_router, public_router};
use http::{HeaderName, Method, StatusCode, header};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::postgres::Postgres;
use crate::support::requests::{ask_with, get, upload};
use crate::support::{Tenancy, password};

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_what_was_stored_beside_what_may_be() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    tenancy.config["clients"][0]["limits"]["documents"]["quota"] = json!({"documents": 5});
    let router = public_router(tenancy.app());
    for _ in 0..3 {
        upload(&router, "globex", "a.txt", b"four").await;
    }
    let globex = get(&router, "globex", "usage").await;
    assert_eq!(globex.status, StatusCode::OK, "{globex:?}");
    assert_eq!(
        globex.text(),
        r#"{"used":{"bytes":12,"documents":3},"quota":{"bytes":null,"documents":5}}"#
    );
    let initech = get(&router, "initech", "usage").await.json();
    let none = json!({"documents": null, "bytes": null});
    assert_eq!(
        initech,
        json!({"used": {"documents": 0, "bytes": 0}, "quota": none}),
        "each client its own"
    );
    let inside = data_store_router(tenancy.app());
    let inside = get(&inside, "globex", "usage").await;
    assert_eq!(inside.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_leaves_an_entry_with_who_and_which_request() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = public_router(tenancy.app());
    upload(&router, "globex", "a.txt", b"four").await;
    get(&router, "globex", "documents/1/content").await;
    let trail = get(&router, "globex", "audit").await;
    assert_eq!(trail.status, StatusCode::OK, "{trail:?}");
    let trail = trail.json();
    assert_eq!(trail["next"], Value::Null);
    let entries = trail["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), 1, "a read leaves none: {entries:?}");
    let entry = &entries[0];
    assert_eq!(entry["id"], 1);
    assert_eq!(entry["action"], "upload");
    assert_eq!(entry["subject_kind"], "document");
    assert_eq!(entry["subject_id"], "1");
    assert_eq!(entry["subject_version"], 1);
    let actor = entry["actor"].as_str().expect("an actor");
    assert!(actor.starts_with("key:") && actor.len() == 12, "{actor}");
    let at = entry["timestamp"].as_str().expect("a time");
    assert!(at.len() == 27 && at.ends_with('Z'), "{at}");
    for id in ["trace_id", "request_id"] {
        let length = entry[id].as_str().map_or(0, str::len);
        assert!(length >= 32, "{id}: {entry}");
    }
    let other = get(&router, "initech", "audit").await.json();
    assert_eq!(other["entries"], json!([]));
}

/// As many entries as `document`s, a second after each other.
async fn record(postgres: &Postgres, tenancy: &Tenancy, entries: &[(&str, i64)]) {
    let role = tenancy.identity("globex").role;
    let connection = postgres.login(&role, &password("globex")).await;
    let mut connection = connection.expect("a login");
    for (i, (action, document)) in (0_i64..).zip(entries) {
        let sql = "INSERT INTO audit_log (timestamp, actor, action, subject_kind, subject_id) \
                   VALUES (to_timestamp($1), 'anonymous', $2, 'document', $3::text)";
        sqlx::query(sql)
            .bind(100 + i / 2)
            .bind(*action)
            .bind(*document)
            .execute(&mut connection)
            .await
            .expect("recorded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_come_newest_first_in_pages_and_through_filters() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let entries = [
        ("upload", 1),
        ("upload", 2),
        ("update", 1),
        ("delete", 2),
        ("restore", 2),
    ];
    record(&postgres, &tenancy, &entries).await;
    let router = public_router(tenancy.app());
    for (query, expected) in [
        ("", vec![5, 4, 3, 2, 1]),
        ("limit=2", vec![5, 4]),
        ("subject_kind=document&subject_id=1", vec![3, 1]),
        ("subject_kind=document&limit=3", vec![5, 4, 3]),
        ("subject_kind=page_view", vec![]),
        ("subject_id=2", vec![5, 4, 2]),
        ("action=upload", vec![2, 1]),
        ("action=upload&subject_kind=document&subject_id=2", vec![2]),
        ("subject_kind=document&subject_id=9", vec![]),
        ("after=1970-01-01T00:01:40Z", vec![5, 4, 3]),
        ("before=1970-01-01T00:01:41Z", vec![2, 1]),
    ] {
        let answer = get(&router, "globex", &format!("audit?{query}")).await;
        let answer = answer.json();
        let ids: Vec<i64> = answer["entries"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|entry| entry["id"].as_i64())
            .collect();
        assert_eq!(ids, expected, "{query}");
    }
    let mut seen = Vec::new();
    let mut path = "audit?limit=2".to_owned();
    loop {
        let answer = get(&router, "globex", &path).await;
        let body = answer.json();
        let page = body["entries"].as_array().expect("a list");
        seen.extend(page.iter().filter_map(|entry| entry["id"].as_i64()));
        let Some(link) = answer.headers.get(header::LINK) else {
            assert_eq!(body["next"], Value::Null);
            break;
        };
        let link = link.to_str().expect("ASCII");
        let link = link.strip_prefix("</clients/globex/");
        let link = link.and_then(|link| link.strip_suffix(">; rel=\"next\""));
        path = link.expect("a link").to_owned();
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let wrong = get(&router, "globex", "audit?subject_id=").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_entries_is_a_walk_along_an_index() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let identity = tenancy.identity("globex");
    let sql = format!(
        "SET search_path = {schema}; \
         INSERT INTO audit_log (timestamp, actor, action, subject_kind, subject_id) \
         SELECT to_timestamp(i), 'anonymous', 'upload', 'document', i % 100 \
         FROM generate_series(1, 20000) AS i; ANALYZE audit_log; \
         ALTER ROLE {role} SET session_preload_libraries = 'auto_explain'; \
         ALTER ROLE {role} SET auto_explain.log_min_duration = 0",
        schema = identity.schema,
        role = identity.role,
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut postgres.superuser().await)
        .await
        .expect("filled");
    let router = public_router(tenancy.app());
    // Only statements of a trace that nobody keeps stay prepared, and get a plan for all values.
    let unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let headers = [(HeaderName::from_static("traceparent"), unsampled)];
    for path in [
        "audit?limit=2",
        "audit?limit=2&subject_kind=document&subject_id=7",
    ] {
        for _ in 0..8 {
            ask_with(&router, Method::GET, "globex", path, &headers).await;
        }
    }
    let log = postgres.host().join("log");
    let walks = [
        "Backward using audit_log_pkey",
        "Backward using audit_log_subject",
    ];
    crate::support::eventually("every page walks", async || {
        let log = std::fs::read_to_string(&log).expect("a log");
        walks.iter().all(|walk| log.matches(walk).count() == 8)
    })
    .await;
}

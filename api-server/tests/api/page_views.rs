//! Views that pages tell of: what becomes of them, what is kept, and what a report makes of it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use docket_api_server::{App, public_router};
use docket_contract::hash_api_key;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};

use crate::support::postgres::Postgres;
use crate::support::requests::{get, upload};
use crate::support::{Answer, Tenancy, eventually, send};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const GOOGLE: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const SLACK: &str = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)";
const ORIGIN: &str = "https://www.globex.example";
const KEY: &str = "pk_globex";

struct Site {
    postgres: Postgres,
    tenancy: Tenancy,
    app: Arc<App>,
    router: Router,
}

impl Site {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(flags: &[&str]) -> Self {
        let postgres = Postgres::start();
        let mut tenancy = postgres.tenancy("acme").await;
        tenancy.config["workloads"]["pageViews"] =
            json!({"origins": [ORIGIN], "retentionDays": 7, "documents": true});
        tenancy.config["clients"][0]["publishableKeys"] = json!([{
            "hash": hash_api_key(KEY).0,
            "scope": "page-views:write",
            "origins": [ORIGIN],
        }]);
        let app = tenancy.app_with(flags);
        let router = public_router(app.clone());
        Self {
            postgres,
            tenancy,
            app,
            router,
        }
    }

    /// Tells of `views` with a visitor's address and user agent.
    async fn tell(&self, address: &str, agent: &str, views: Value) -> Answer {
        let request = Request::post("/clients/globex/page-views")
            .header("x-api-key", "globex-key")
            .header("x-forwarded-for", address)
            .header(header::USER_AGENT, agent)
            .header(header::CONTENT_TYPE, "application/json");
        let body = Body::from(json!({"views": views}).to_string());
        send(&self.router, request.body(body).expect("a request")).await
    }

    async fn report(&self, query: &str) -> Value {
        let answer = get(
            &self.router,
            "globex",
            &format!("page-views/report?{query}"),
        )
        .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }

    async fn maintain(&self) {
        let client = self.app.platform().tenant.client("globex");
        let client = client.expect("a client");
        self.app.maintenance().visit(&client).await;
    }

    /// A superuser who sees the tables of `globex`.
    async fn tables(&self) -> PgConnection {
        let mut connection = self.postgres.superuser().await;
        let schema = self.tenancy.identity("globex").schema;
        let sql = AssertSqlSafe(format!("SET search_path = {schema}"));
        let set = sqlx::raw_sql(sql).execute(&mut connection).await;
        set.expect("a schema");
        connection
    }

    async fn run(&self, sql: &'static str) {
        let mut tables = self.tables().await;
        let run = sqlx::raw_sql(sql).execute(&mut tables).await;
        run.expect("SQL that Postgres understands");
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let mut tables = self.tables().await;
        let row = sqlx::query(sql).fetch_one(&mut tables).await;
        row.expect("a row").get(0)
    }
}

fn outcomes(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let body = answer.json();
    let outcomes = body["outcomes"].as_array().expect("outcomes").iter();
    let outcomes = outcomes.map(|it| it["outcome"].as_str().expect("an outcome").to_owned());
    outcomes.collect()
}

#[tokio::test]
async fn each_view_is_answered_with_its_outcome_and_those_that_are_stored_are_reported() {
    let site = Site::new().await;
    let id = "018f4a5e-0000-7000-8000-000000000001";
    let views = json!([
        {"path": "/pricing?mail=homer@globex.example", "referrer": "https://search.example/?q=homer"},
        {"path": "/pricing", "id": id},
        {"path": "/pricing", "id": id},
        {"path": "pricing"},
    ]);
    let answer = site.tell("192.0.2.7", FIREFOX, views).await;
    assert_eq!(
        outcomes(&answer),
        ["stored", "stored", "duplicate", "refused"]
    );
    let reason = answer.json()["outcomes"][3]["reason"].clone();
    assert!(
        reason
            .as_str()
            .is_some_and(|it| it.starts_with("path must begin with /"))
    );
    let again = json!([{"path": "/pricing", "id": id}, {"path": "/docs", "document_id": 7}]);
    let answer = site.tell("192.0.2.8", FIREFOX, again).await;
    assert_eq!(outcomes(&answer), ["duplicate", "stored"]);
    for (agent, outcome) in [(GOOGLE, "bot"), (SLACK, "preview")] {
        let answer = site
            .tell("192.0.2.9", agent, json!([{"path": "/pricing"}]))
            .await;
        assert_eq!(outcomes(&answer), [outcome]);
    }

    let by_day = site.report("").await;
    assert_eq!(by_day["views"], 3);
    assert_eq!(by_day["visitor_days"], 2);
    assert_eq!(by_day["rows"][0]["visitors"], 2);
    let not_counted = json!({"duplicate": 2, "bot": 1, "preview": 1, "refused": 1});
    assert_eq!(by_day["not_counted"], not_counted);
    let by_path = site.report("by=path").await;
    let expected = json!([
        {"path": "/pricing", "views": 2, "visitor_days": 1},
        {"path": "/docs", "views": 1, "visitor_days": 1},
    ]);
    assert_eq!(by_path["rows"], expected);
    let by_document = site.report("by=document").await;
    assert_eq!(
        by_document["rows"],
        json!([{"document_id": 7, "views": 1, "visitor_days": 1}])
    );
    let by_referrer = site.report("by=referrer").await;
    let expected = json!([{"referrer": "search.example", "views": 1, "visitor_days": 1}]);
    assert_eq!(by_referrer["rows"], expected);
}

#[tokio::test]
async fn a_beacon_of_a_page_with_a_publishable_key_is_taken_and_reads_nothing() {
    let site = Site::new().await;
    let beacon = |key: &str, origin: &str| {
        let request = Request::post(format!("/api/p3/page-views?key={key}"))
            .header(header::ORIGIN, origin)
            .header(header::USER_AGENT, FIREFOX)
            .header(header::CONTENT_TYPE, "text/plain;charset=UTF-8");
        request
            .body(Body::from(r#"{"views": [{"path": "/"}]}"#))
            .expect("a request")
    };
    let answer = send(&site.router, beacon(KEY, ORIGIN)).await;
    assert_eq!(outcomes(&answer), ["stored"]);
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], ORIGIN);
    let elsewhere = send(&site.router, beacon(KEY, "https://evil.example")).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    let allowed = elsewhere.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    assert_eq!(allowed, None);
    let preflight = Request::options("/api/p3/page-views")
        .header(header::ORIGIN, ORIGIN)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    let preflight = send(
        &site.router,
        preflight.body(Body::empty()).expect("a request"),
    )
    .await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(
        preflight.headers[header::ACCESS_CONTROL_ALLOW_METHODS],
        "POST"
    );
    let report =
        Request::get(format!("/api/p3/page-views/report?key={KEY}")).header(header::ORIGIN, ORIGIN);
    let report = send(&site.router, report.body(Body::empty()).expect("a request")).await;
    assert!(report.status.is_client_error(), "{}", report.text());
    assert_eq!(site.count("SELECT count(*) FROM page_views").await, 1);
}

#[tokio::test]
async fn a_body_has_one_to_a_thousand_views_and_its_largest_size() {
    let site = Site::new().await;
    for (count, status) in [
        (0, StatusCode::UNPROCESSABLE_ENTITY),
        (1000, StatusCode::ACCEPTED),
        (1001, StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let views = vec![json!({"path": "/"}); count];
        let answer = site.tell("192.0.2.7", FIREFOX, json!(views)).await;
        assert_eq!(answer.status, status, "{count}");
    }
    let large = json!([{"path": "a".repeat(1024 * 1024)}]);
    let answer = site.tell("192.0.2.7", FIREFOX, large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(site.count("SELECT count(*) FROM page_views").await, 1000);
}

#[tokio::test]
async fn views_that_are_copied_are_kept_as_those_that_are_inserted() {
    let site = Site::new().await;
    let views = [
        json!({"path": "/pricing", "referrer": "https://search.example/"}),
        json!({"path": "/docs/\u{e4}", "document_id": i64::MAX}),
        json!({"path": "/"}),
    ];
    let with_ids = views.iter().zip(1..).map(|(view, number)| {
        let mut view = view.clone();
        view["id"] = json!(format!("018f4a5e-0000-7000-8000-00000000000{number}"));
        view
    });
    let with_ids: Vec<Value> = with_ids.collect();
    let rows = "SELECT count(*) FROM page_views";
    let different =
        "SELECT count(DISTINCT (day, path, document_id, referrer, visitor)) FROM page_views";
    for (views, expected) in [(json!(with_ids), 3), (json!(views), 6)] {
        let answer = site.tell("192.0.2.7", FIREFOX, views).await;
        assert_eq!(outcomes(&answer), ["stored"; 3]);
        assert_eq!(site.count(rows).await, expected);
        assert_eq!(site.count(different).await, 3);
    }
}

/// The port of a way over TCP to the server whose socket is in `host`.
async fn over_tcp(host: &Path) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let target = host.join(".s.PGSQL.5432");
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = UnixStream::connect(&target).await.expect("a server");
            tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        }
    });
    port
}

/// What the kernel of a server waits before it acknowledges a packet that it has no answer to (Linux: `TCP_DELACK_MIN`).
const ACKNOWLEDGED_LATE: Duration = Duration::from_millis(40);

#[tokio::test]
async fn a_view_that_is_copied_does_not_wait_for_an_acknowledgement() {
    let mut site = Site::new().await;
    let port = over_tcp(site.postgres.host()).await;
    site.tenancy.config["database"]["host"] = json!("127.0.0.1");
    site.tenancy.config["database"]["port"] = json!(port);
    site.app = site.tenancy.app_with(&[]);
    site.router = public_router(site.app.clone());
    let mut quickest = Duration::MAX;
    for view in 0..100 {
        let start = Instant::now();
        let views = json!([{"path": "/"}]);
        let answer = site.tell("192.0.2.7", FIREFOX, views).await;
        assert_eq!(outcomes(&answer), ["stored"]);
        // The first packets of a connection are acknowledged at once.
        if view >= 50 {
            quickest = quickest.min(start.elapsed());
        }
    }
    assert!(quickest < ACKNOWLEDGED_LATE, "{quickest:?}");
}

#[tokio::test]
async fn views_that_postgres_refuses_are_not_answered_as_stored_and_the_next_are() {
    let site = Site::new().await;
    site.run("ALTER TABLE page_views ADD CONSTRAINT refuses CHECK (path <> '/refused')")
        .await;
    let views = json!([{"path": "/"}, {"path": "/refused"}]);
    for _ in 0..3 {
        let answer = site.tell("192.0.2.7", FIREFOX, views.clone()).await;
        assert!(answer.status.is_server_error(), "{}", answer.text());
    }
    assert_eq!(site.count("SELECT count(*) FROM page_views").await, 0);
    for _ in 0..3 {
        let answer = site
            .tell("192.0.2.7", FIREFOX, json!([{"path": "/"}]))
            .await;
        assert_eq!(outcomes(&answer), ["stored"]);
    }
    assert_eq!(site.report("").await["views"], 3);
}

#[tokio::test]
async fn views_that_wait_too_long_for_postgres_take_no_later_ones_along() {
    let site = Site::with(&["--request-timeout=2s"]).await;
    let tell = async || {
        site.tell("192.0.2.7", FIREFOX, json!([{"path": "/"}]))
            .await
    };
    // From here on there is a salt, and a connection.
    eventually("a view is stored", async || {
        tell().await.status == StatusCode::ACCEPTED
    })
    .await;
    let mut locking = site.tables().await;
    let lock = sqlx::raw_sql("BEGIN; LOCK TABLE page_views").execute(&mut locking);
    lock.await.expect("a lock");
    let answer = tell().await;
    assert!(answer.status.is_server_error(), "{}", answer.text());
    let unlock = sqlx::raw_sql("ROLLBACK").execute(&mut locking);
    unlock.await.expect("no lock");
    let before = site.count("SELECT count(*) FROM page_views").await;
    let mut stored = 0;
    eventually("views are stored again", async || {
        stored += i64::from(tell().await.status == StatusCode::ACCEPTED);
        stored == 3
    })
    .await;
    let after = site.count("SELECT count(*) FROM page_views").await;
    assert!(after - before >= stored, "{before} {after}");
}

#[tokio::test]
async fn a_day_reports_the_same_before_and_after_it_is_counted_however_many_views_it_has() {
    let site = Site::with(&["--request-timeout=1m"]).await;
    // Of yesterday, paths beyond the thousand and views without one; of the day before, more than are counted here.
    site.run(
        "INSERT INTO page_views (day, path, referrer, visitor) \
         SELECT (now() AT TIME ZONE 'UTC')::date - 1, nullif('/' || n % 1100, '/7'), nullif(n % 3, 0)::text, \
           substring(sha256(int4send(n % 13)) FOR 16) \
         FROM generate_series(1, 4000) AS n; \
         INSERT INTO page_views (day, path, visitor) \
         SELECT (now() AT TIME ZONE 'UTC')::date - 2, '/' || n % 1200, substring(sha256(int4send(n % 17)) FOR 16) \
         FROM generate_series(1, 300001) AS n",
    )
    .await;
    let queries = ["by=day", "by=path&limit=1000", "by=referrer", "by=document"];
    let mut before = Vec::new();
    for query in queries {
        before.push(site.report(query).await);
    }
    assert_eq!(before[0]["views"], 304_001);
    assert_eq!(before[0]["visitor_days"], 30);
    assert_eq!(before[1]["visitor_days"], 30);
    // 99 paths of yesterday and 200 of the day before are not among the thousand.
    assert_eq!(before[1]["others"]["visitor_days"], 30);
    assert_eq!(before[2]["rows"][0]["visitor_days"], 13);
    site.maintain().await;
    assert_eq!(site.count("SELECT count(*) FROM page_view_days").await, 2);
    for (query, before) in queries.into_iter().zip(before) {
        assert_eq!(site.report(query).await, before, "{query}");
    }
}

#[tokio::test]
async fn counts_of_days_agree_with_counts_by_hand_and_replace_themselves_when_views_come_late() {
    let site = Site::new().await;
    // Yesterday: three visitors; a saw two pages, one of them twice. The day before: a came, too.
    site.run(
        "INSERT INTO page_views (day, path, referrer, visitor) SELECT \
           (now() AT TIME ZONE 'UTC')::date - ago, path, referrer, rpad(visitor, 16)::bytea FROM (VALUES \
           (1, '/a', 'x.example', 'a'), (1, '/a', NULL, 'a'), (1, '/b', NULL, 'a'), \
           (1, '/a', 'x.example', 'b'), (1, '/b', 'y.example', 'c'), \
           (2, '/a', NULL, 'a')) AS it (ago, path, referrer, visitor)",
    )
    .await;
    let before = [site.report("").await, site.report("by=path").await];
    let by_path = json!([
        {"path": "/a", "views": 4, "visitor_days": 3},
        {"path": "/b", "views": 2, "visitor_days": 2},
    ]);
    assert_eq!(before[1]["rows"], by_path);
    assert_eq!(
        (&before[0]["views"], &before[0]["visitor_days"]),
        (&json!(6), &json!(4))
    );
    site.maintain().await;
    assert_eq!(site.count("SELECT count(*) FROM page_view_days").await, 2);
    // What was counted says the same as the views themselves.
    assert_eq!(
        [site.report("").await, site.report("by=path").await],
        before
    );
    let by_referrer = site.report("by=referrer").await;
    let expected = json!([
        {"referrer": "x.example", "views": 2, "visitor_days": 2},
        {"referrer": "y.example", "views": 1, "visitor_days": 1},
    ]);
    assert_eq!(by_referrer["rows"], expected);

    site.run(
        "UPDATE page_view_days SET is_final = false; \
         INSERT INTO page_views (day, path, visitor) \
         SELECT (now() AT TIME ZONE 'UTC')::date - 1, '/b', 'sixteen bytes, d'::bytea; \
         UPDATE maintenance_tasks SET due = now()",
    )
    .await;
    site.maintain().await;
    let after = site.report("by=path").await;
    assert_eq!(after["views"], 7);
    assert_eq!(
        after["rows"][1],
        json!({"path": "/b", "views": 3, "visitor_days": 3})
    );
}

#[tokio::test]
async fn views_salts_and_ids_go_in_time_and_what_was_counted_stays() {
    let site = Site::new().await;
    site.run(
        "INSERT INTO page_views (day, path, visitor) \
         SELECT (now() AT TIME ZONE 'UTC')::date - ago, '/', 'sixteen bytes, a'::bytea FROM generate_series(1, 9) AS ago; \
         INSERT INTO page_view_salts (day, salt) \
         SELECT (now() AT TIME ZONE 'UTC')::date - ago, sha256('') FROM generate_series(0, 3) AS ago; \
         INSERT INTO page_view_ids (id, seen) VALUES \
         (gen_random_uuid(), now() - interval '25 hours'), (gen_random_uuid(), now() - interval '23 hours')",
    )
    .await;
    site.maintain().await;
    assert_eq!(site.count("SELECT count(*) FROM page_views").await, 7);
    assert_eq!(site.count("SELECT count(*) FROM page_view_salts").await, 2);
    assert_eq!(site.count("SELECT count(*) FROM page_view_ids").await, 1);
    assert_eq!(site.report("").await["views"], 9);
    // Nothing is counted twice, nor as what is left.
    site.run("UPDATE maintenance_tasks SET due = now()").await;
    site.maintain().await;
    assert_eq!(site.report("").await["views"], 9);
}

#[tokio::test]
async fn nothing_in_the_tables_says_who_a_visitor_was() {
    let site = Site::new().await;
    let views = json!([{
        "path": "/pricing?mail=homer@globex.example#homer",
        "referrer": "https://homer:secret@mail.example/homer",
    }]);
    let answer = site.tell("192.0.2.77", "Firefox/128 homer", views).await;
    assert_eq!(outcomes(&answer), ["stored"]);
    site.maintain().await;
    let mut tables = site.tables().await;
    for table in [
        "page_views",
        "page_view_ids",
        "page_view_salts",
        "page_view_rejects",
        "page_view_days",
        "page_view_counts",
        "audit_log",
    ] {
        let sql = AssertSqlSafe(format!("SELECT it::text FROM {table} AS it"));
        let rows = sqlx::query(sql).fetch_all(&mut tables).await.expect("rows");
        for row in rows {
            let text: String = row.get(0);
            for personal in ["homer", "192.0.2.77", "Firefox", "secret"] {
                assert!(!text.contains(personal), "{table}: {text}");
            }
        }
    }
    let visitor = "SELECT octet_length(visitor)::bigint FROM page_views";
    assert_eq!(site.count(visitor).await, 16);
}

#[tokio::test]
async fn a_read_of_a_documents_content_counts_unless_it_is_a_head_a_continuation_or_a_prefetch() {
    let site = Site::new().await;
    let mut ids = Vec::new();
    for name in ["note.txt", "other.txt"] {
        let uploaded = upload(&site.router, "globex", name, b"forty two bytes").await;
        ids.push(uploaded.json()["document_id"].as_i64().expect("an id"));
    }
    let [note, other] = ids[..] else {
        unreachable!("two were stored")
    };
    let stop = tokio_util::sync::CancellationToken::new();
    let (app, stopping) = (site.app.clone(), stop.clone());
    let working = tokio::spawn(async move { app.work(stopping).await });
    let ask = async |id: i64, method: Method, headers: &[(&'static str, &'static str)]| {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/clients/globex/documents/{id}/content"))
            .header("x-api-key", "globex-key")
            .header(header::USER_AGENT, FIREFOX);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = send(
            &site.router,
            request.body(Body::empty()).expect("a request"),
        )
        .await;
        assert!(answer.status.is_success(), "{}", answer.text());
    };
    let views = async |id: i64| -> i64 {
        let views = sqlx::query_scalar("SELECT count(*) FROM page_views WHERE document_id = $1");
        let views = views.bind(id).fetch_one(&mut site.tables().await).await;
        views.expect("a number")
    };
    // Reads are told of in their order: once the last one is counted, all before it are.
    let told = async || {
        let before = views(other).await;
        ask(other, Method::GET, &[]).await;
        eventually("a read is counted", async || views(other).await > before).await;
    };
    // The workload may only just have begun to listen.
    eventually("a part from the first byte on is counted", async || {
        ask(note, Method::GET, &[("range", "bytes=0-")]).await;
        views(note).await > 0
    })
    .await;
    told().await;
    let before = views(note).await;
    ask(note, Method::HEAD, &[]).await;
    ask(note, Method::GET, &[("range", "bytes=5-")]).await;
    ask(note, Method::GET, &[("sec-purpose", "prefetch;prerender")]).await;
    ask(note, Method::GET, &[("purpose", "prefetch")]).await;
    told().await;
    assert_eq!(views(note).await, before);
    stop.cancel();
    working.await.expect("no panic");
    let report = site.report("by=document").await;
    let rows = report["rows"].as_array().expect("rows").iter();
    let of_note = rows.filter(|row| row["document_id"] == note);
    assert_eq!(of_note.count(), 1, "{report}");
    let without = "SELECT count(*) FROM page_views WHERE path IS NOT NULL OR document_id IS NULL";
    assert_eq!(site.count(without).await, 0);
}

#[tokio::test]
async fn what_one_client_is_told_of_no_other_sees() {
    let site = Site::new().await;
    site.tell("192.0.2.7", FIREFOX, json!([{"path": "/"}]))
        .await;
    let answer = get(&site.router, "initech", "page-views/report").await;
    assert_eq!(answer.json()["views"], 0);
}

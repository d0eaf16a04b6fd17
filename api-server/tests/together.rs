//! Requests that come at the same time, and share their statements. In a process of its own: only requests
//! without spans share, and once telemetry is set up in a process, all of its requests have them.

mod support;

use axum::Router;
use axum::body::Body;
use docket_api_server::public_router;
use docket_instrumentation::Registry;
use futures::future::join_all;
use http::{Request, StatusCode};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};
use support::postgres::Postgres;
use support::requests::{get, sha256, shown, upload};
use support::{Answer, Tenancy, eventually, send};

/// Without spans, as a request has it whose trace is not recorded.
fn router(tenancy: &Tenancy) -> Router {
    public_router(tenancy.app_on(&[], Registry::new()))
}

fn name(number: usize) -> String {
    format!("{number}.txt")
}

fn content(number: usize) -> Vec<u8> {
    format!("content number {number}").into_bytes()
}

/// Uploads `count` different files at once, each as often as `again` says of its answer.
async fn uploads(router: &Router, count: usize, again: fn(&Answer) -> bool) -> Vec<Answer> {
    let uploads = (0..count).map(|number| {
        let router = router.clone();
        tokio::spawn(async move {
            loop {
                let answer = upload(&router, "globex", &name(number), &content(number)).await;
                if !again(&answer) {
                    return answer;
                }
            }
        })
    });
    let answers = join_all(uploads).await.into_iter();
    answers.map(|answer| answer.expect("joined")).collect()
}

async fn count(superuser: &mut PgConnection, tenancy: &Tenancy, what: &str) -> i64 {
    let schema = tenancy.identity("globex").schema;
    let sql = format!("SELECT count({what}) FROM {schema}.document_metadata");
    let count = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(superuser);
    count.await.expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_and_reads_at_once_share_statements_and_each_gets_its_own_answer() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = router(&tenancy);
    let answers = uploads(&router, 64, |_| false).await;
    let mut ids = Vec::new();
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let metadata = &answer.json()["metadata"];
        assert_eq!(metadata["filename"], name(number));
        assert_eq!(metadata["sha256"], sha256(&content(number)));
        ids.push(metadata["id"].as_i64().expect("an id"));
    }
    let mut superuser = postgres.superuser().await;
    assert_eq!(count(&mut superuser, &tenancy, "*").await, 64);
    let commits = count(&mut superuser, &tenancy, "DISTINCT xmin::text").await;
    assert!(commits <= 32, "{commits} commits of 64 uploads");
    let audited = get(&router, "globex", "audit?action=upload&limit=100").await;
    let audited = audited.json()["entries"]
        .as_array()
        .expect("a list")
        .clone();
    for id in &ids {
        let subject = id.to_string();
        let entries = audited.iter().filter(|one| one["subject_id"] == *subject);
        assert_eq!(entries.count(), 1, "of {id} in {audited:?}");
    }
    let found = get(&router, "globex", "documents?q=number&limit=100").await;
    assert_eq!(shown(&found, "id").len(), 64);

    let reads = ids.iter().chain(&[999_999]).map(|id| {
        let (router, path) = (router.clone(), format!("documents/{id}"));
        tokio::spawn(async move { get(&router, "globex", &path).await })
    });
    for (number, answer) in join_all(reads).await.into_iter().enumerate() {
        let answer = answer.expect("joined");
        match number {
            64 => assert_eq!(answer.status, StatusCode::NOT_FOUND),
            _ => assert_eq!(answer.json()["filename"], name(number)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_that_come_at_once_share_commits_and_what_they_have_in_common_is_stored_once() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    tenancy.config["workloads"]["pageViews"] =
        json!({"origins": [], "retentionDays": 90, "documents": false});
    let router = router(&tenancy);
    let requests = (0..64).map(|number| {
        let id = format!("67e55044-10b1-426f-9247-bb680e5fe00{}", number % 4);
        let path = format!("/{number}");
        let views = json!([{"path": path}, {"path": "common"}, {"path": "/common", "id": id}]);
        let request = Request::post("/api/p3/page-views")
            .header("x-api-key", "globex-key")
            .header("content-type", "application/json")
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0",
            )
            .body(Body::from(json!({"views": views}).to_string()));
        let router = router.clone();
        tokio::spawn(async move { send(&router, request.expect("a request")).await })
    });
    let mut in_common = 0;
    for answer in join_all(requests).await {
        let answer = answer.expect("joined");
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        let outcomes = &answer.json()["outcomes"];
        assert_eq!(outcomes[0]["outcome"], "stored");
        assert_eq!(outcomes[1]["outcome"], "refused");
        in_common += i32::from(outcomes[2]["outcome"] == "stored");
    }
    assert_eq!(in_common, 4);
    let schema = tenancy.identity("globex").schema;
    let sql = format!("SELECT count(*), count(DISTINCT xmin::text) FROM {schema}.page_views");
    let mut superuser = postgres.superuser().await;
    let counts = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut superuser);
    let (views, commits): (i64, i64) = counts.await.expect("counts");
    assert_eq!(views, 68);
    assert!(commits <= 32, "{commits} commits of 64 requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_quota_refuses_together_is_stored_by_itself_as_far_as_there_is_room() {
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    tenancy.config["clients"][0]["limits"]["documents"]["quota"] = json!({"documents": 10});
    let router = router(&tenancy);
    // On a busy machine not all find a connection in time.
    let is_busy = |answer: &Answer| answer.status == StatusCode::SERVICE_UNAVAILABLE;
    let answers = uploads(&router, 64, is_busy).await;
    let stored = answers.iter().filter(|it| it.status == StatusCode::CREATED);
    assert_eq!(stored.count(), 10, "{answers:?}");
    let refused = answers
        .iter()
        .filter(|it| it.status == StatusCode::FORBIDDEN);
    assert_eq!(refused.count(), 54, "{answers:?}");
    eventually("what was refused is gone", async || tenancy.objects() == 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_database_that_dies_is_told_so_and_what_may_be_recorded_keeps_its_content()
{
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = router(&tenancy);
    let schema = tenancy.identity("globex").schema;
    let mut superuser = postgres.superuser().await;
    let lock = format!("BEGIN; LOCK TABLE {schema}.document_metadata");
    sqlx::raw_sql(AssertSqlSafe(lock))
        .execute(&mut superuser)
        .await
        .expect("a lock");
    let mut watcher = postgres.superuser().await;
    let mut waiting = Vec::new();
    // Two statements of one upload each, and those who wait for them.
    for (more, statements, contents) in [(1, 1, 1), (1, 2, 2), (14, 2, 16)] {
        let router = router.clone();
        waiting.push(tokio::spawn(async move {
            uploads(&router, more, |_| false).await
        }));
        eventually("statements that wait, and the content of all", async || {
            let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
            let waits = sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut watcher);
            waits.await.expect("a count") >= statements && tenancy.objects() == contents
        })
        .await;
    }
    postgres.kill();
    let answers = join_all(waiting).await.into_iter();
    for answer in answers.flat_map(|answers| answers.expect("joined")) {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:docket:problem:database-unavailable");
    }
    eventually(
        "what was never sent to Postgres is gone, and the rest stays",
        async || tenancy.objects() == 2,
    )
    .await;
    postgres.resume();
    eventually("uploads go on", async || {
        let answer = upload(&router, "globex", "after.txt", b"after").await;
        answer.status == StatusCode::CREATED
    })
    .await;
}

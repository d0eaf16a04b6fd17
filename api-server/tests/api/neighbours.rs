//! What a client finds whose neighbour does its worst.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::StatusCode;
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::support::postgres::Postgres;
use crate::support::requests::{get, upload};
use crate::support::{Answer, send};

/// Between two requests of the one that waits.
const FLOOD: Duration = Duration::from_millis(2);
/// Longer than a request waits for a connection that others use.
const LONG: Duration = Duration::from_secs(6);
/// As long as a request waits for a connection that others use.
const WAIT: Duration = Duration::from_secs(2);
/// Of a request that need not wait, on a machine three times slower than one that needs 50 ms.
const SHORT: Duration = Duration::from_millis(150);
/// By how much such a request may take longer beside those that wait than beside as many that are answered.
const SLOWER: u32 = 4;

/// The slowest but for one in a hundred.
fn p99(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took[took.len() * 99 / 100 - 1]
}

async fn list(router: &Router) -> Duration {
    let start = Instant::now();
    let answer = get(router, "initech", "documents").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    start.elapsed()
}

async fn health(router: &Router) -> Duration {
    let start = Instant::now();
    let request = http::Request::get("/health").body(Body::empty());
    let answer = send(router, request.expect("a request")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["status"], "healthy", "{answer:?}");
    start.elapsed()
}

/// One of `globex` that needs no database.
async fn cheap(router: Router, _: u32) -> Answer {
    get(&router, "globex", "documents?limit=0").await
}

/// A read or an upload of `globex`.
async fn any(router: Router, number: u32) -> Answer {
    match number % 4 {
        0 => upload(&router, "globex", "a.txt", b"one").await,
        1 => get(&router, "globex", "documents/1").await,
        2 => get(&router, "globex", "documents?name=zzz").await,
        _ => get(&router, "globex", "documents").await,
    }
}

/// Five hundred requests a second.
async fn flood<A: Future<Output = Answer> + Send + 'static>(
    router: Router,
    request: fn(Router, u32) -> A,
) {
    let mut clock = tokio::time::interval(FLOOD);
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut requests = JoinSet::new();
    for number in 0_u32.. {
        clock.tick().await;
        requests.spawn(request(router.clone(), number));
        while let Some(answer) = requests.try_join_next() {
            let answer = answer.expect("no panic");
            let is_told = answer.headers.contains_key("retry-after");
            assert!(
                is_told || answer.status == StatusCode::BAD_REQUEST,
                "{answer:?}"
            );
        }
    }
}

/// What `initech` finds for a while beside such a flood, and `/health` says.
async fn beside<A: Future<Output = Answer> + Send + 'static>(
    router: &Router,
    request: fn(Router, u32) -> A,
) -> Duration {
    let flooding = tokio::spawn(flood(router.clone(), request));
    let (start, mut took) = (Instant::now(), Vec::new());
    while start.elapsed() < LONG {
        took.push(list(router).await);
        assert!(health(router).await < Duration::from_secs(1));
        tokio::time::sleep(FLOOD).await;
    }
    assert!(!flooding.is_finished(), "{:?}", flooding.await);
    flooding.abort();
    p99(took)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_requests_all_wait_for_a_lock_makes_nobody_else_wait() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let router = docket_api_server::public_router(tenancy.app());
    assert_eq!(
        upload(&router, "initech", "a.txt", b"one").await.status,
        201
    );
    let usual = beside(&router, cheap).await;
    let schema = tenancy.identity("globex").schema;
    let mut holder = postgres.superuser().await;
    let lock = format!("BEGIN; LOCK TABLE {schema}.document_metadata, {schema}.usage");
    let locked = sqlx::raw_sql(AssertSqlSafe(lock))
        .execute(&mut holder)
        .await;
    locked.expect("locked");
    let locked = beside(&router, any).await;
    eprintln!("p99 beside 500 requests a second that wait: {locked:?}, that need not: {usual:?}");
    assert!(locked < SHORT.max(SLOWER * usual), "{locked:?}, {usual:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_could_use_all_connections_leaves_half_of_them_to_others() {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let app = tenancy.app_with(&["--connections=4", "--connections-per-client=4"]);
    let router = docket_api_server::public_router(app);
    list(&router).await;
    let schema = tenancy.identity("globex").schema;
    let mut holder = postgres.superuser().await;
    let lock = format!("BEGIN; LOCK TABLE {schema}.document_metadata");
    let locked = sqlx::raw_sql(AssertSqlSafe(lock))
        .execute(&mut holder)
        .await;
    locked.expect("locked");
    let mut waiting = JoinSet::new();
    for _ in 0..4 {
        let router = router.clone();
        waiting.spawn(async move { get(&router, "globex", "documents").await });
    }
    // Two wait for the lock, and two of them for these two, in vain.
    let mut in_vain = 0;
    while in_vain < 2 {
        let took = list(&router).await;
        assert!(took < WAIT, "{took:?}");
        while let Some(answer) = waiting.try_join_next() {
            let status = answer.expect("no panic").status;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            in_vain += 1;
        }
    }
}

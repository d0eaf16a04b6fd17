//! A part that is away, silent or full: what is answered meanwhile, how soon, and how it ends.

use std::time::{Duration, Instant};

use docket_api_server::public_router;
use reqwest::{Method, StatusCode, multipart};
use sqlx::AssertSqlSafe;

use crate::silence::Silencer;
use crate::stack::{Stack, TURN};
use crate::support::eventually;
use crate::support::postgres::Postgres;
use crate::support::requests::{get, upload};

const FLAGS: &[&str] = &["--request-timeout=3s"];
/// The deadline of [`FLAGS`], and as much again for a busy machine.
const DEADLINE: Duration = Duration::from_secs(6);
const CALLERS: usize = 1000;
const UPLOADS: usize = 200;
/// MiB that they may cost: 128 KiB each.
const MEMORY: u64 = 128;
/// MiB that a pod may take unless its tenant says otherwise.
const LIMIT: u64 = 256;

/// An answer, as far as these tests look at it.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    retry_after: bool,
    problem: String,
    took: Duration,
}

impl Answer {
    fn is_a_prompt_503(&self) -> bool {
        self.status == 503 && self.retry_after && self.took < DEADLINE
    }
}

async fn ask(stack: &Stack, method: Method, path: &str, content: Option<Vec<u8>>) -> Answer {
    let url = format!("http://{}/clients/globex/{path}", stack.address);
    let mut request = stack.http.request(method, url);
    if let Some(content) = content {
        let part = multipart::Part::bytes(content).file_name("a.bin");
        request = request.multipart(multipart::Form::new().part("file", part));
    }
    let start = Instant::now();
    let answer = request.header("x-api-key", "globex-key").send().await;
    let answer = answer.expect("an answer");
    Answer {
        status: answer.status(),
        retry_after: answer.headers().contains_key("retry-after"),
        took: start.elapsed(),
        problem: answer.text().await.unwrap_or_default(),
    }
}

async fn read(stack: &Stack, path: &str) -> Answer {
    ask(stack, Method::GET, path, None).await
}

async fn store(stack: &Stack, content: Vec<u8>) -> Answer {
    ask(stack, Method::PUT, "upload-document", Some(content)).await
}

/// A stack with one document, whose API server knows that everything works.
async fn stack() -> Stack {
    let stack = Stack::start(FLAGS).await;
    assert_eq!(store(&stack, b"one".to_vec()).await.status, 201);
    assert_eq!(stack.ask("readyz").await.expect("an answer").0, 200);
    stack
}

async fn health_becomes(stack: &Stack, status: u16, overall: &str, component: &str) {
    eventually(&format!("{overall}, for {component}"), async || {
        let Some((code, body)) = stack.ask("health").await else {
            return false;
        };
        let parts = body["components"].as_object().expect("components");
        let wrong: Vec<_> = parts.iter().filter(|(_, it)| *it != "healthy").collect();
        wrong.len() == 1 && wrong[0].0 == component && code == status && body["status"] == overall
    })
    .await;
    let ready = stack.ask("readyz").await.expect("an answer");
    assert_eq!(ready.0, 200, "all servers would go at once: {ready:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_every_answer_is_a_prompt_503_until_it_is_back() {
    let _turn = TURN.lock().await;
    let stack = stack().await;
    for silent in [false, true] {
        match silent {
            true => stack.postgres.freeze(),
            false => stack.postgres.stop(),
        }
        let answers = tokio::join!(
            read(&stack, "documents/1"),
            read(&stack, "documents"),
            read(&stack, "documents/1/content"),
            store(&stack, b"two".to_vec()),
            store(&stack, vec![0; 9 * 1024 * 1024]),
        );
        let answers = <[Answer; 5]>::from(answers);
        let prompt = answers.iter().all(Answer::is_a_prompt_503);
        assert!(prompt, "silent: {silent}: {answers:#?}");
        health_becomes(&stack, 503, "unhealthy", "data_store").await;
        match silent {
            true => stack.postgres.thaw(),
            false => stack.postgres.resume(),
        }
        let recovery = stack.works_again().await;
        eprintln!("silent: {silent}; all well {recovery:.1?} after its return");
        let first = read(&stack, "documents/1").await;
        assert_eq!(first.status, 200, "the first after an outage: {first:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_s3_metadata_is_read_and_listed_and_the_rest_is_a_prompt_503() {
    let _turn = TURN.lock().await;
    let mut stack = stack().await;
    for silent in [false, true] {
        match silent {
            true => stack.s3.freeze(),
            false => stack.s3.kill(),
        }
        let answers = tokio::join!(
            read(&stack, "documents/1/content"),
            store(&stack, b"two".to_vec()),
            store(&stack, vec![0; 17 * 1024 * 1024]),
        );
        let answers = <[Answer; 3]>::from(answers);
        let prompt = answers.iter().all(Answer::is_a_prompt_503);
        assert!(prompt, "silent: {silent}: {answers:#?}");
        let named = |it: &Answer| it.problem.contains("object-store-unavailable");
        assert!(answers.iter().all(named), "silent: {silent}: {answers:#?}");
        for path in ["documents/1", "documents"] {
            let answer = read(&stack, path).await;
            assert_eq!(answer.status, 200, "silent: {silent}: {answer:?}");
            assert!(answer.took < DEADLINE, "{answer:?}");
        }
        health_becomes(&stack, 200, "degraded", "object_store").await;
        match silent {
            true => stack.s3.thaw(),
            false => stack.s3.resume(),
        }
        let recovery = stack.works_again().await;
        eprintln!("silent: {silent}; all well {recovery:.1?} after its return");
        let first = read(&stack, "documents/1/content").await;
        assert_eq!(first.status, 200, "the first after an outage: {first:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_a_silent_s3_holds_up_fit_into_the_memory_of_a_pod() {
    let _turn = TURN.lock().await;
    let stack = stack().await;
    let before = stack.api.peak_memory();
    stack.s3.freeze();
    let content = vec![0; 4 * 1024 * 1024];
    let answers = (0..UPLOADS).map(|_| store(&stack, content.clone()));
    let answers = futures::future::join_all(answers).await;
    let wrong = answers
        .iter()
        .find(|it| it.status != 503 || !it.retry_after);
    assert!(wrong.is_none(), "{wrong:?}");
    let told = |problem: &str| {
        let of_kind = answers.iter().filter(|it| it.problem.contains(problem));
        of_kind.count()
    };
    let (silent, full) = (told("object-store-unavailable"), told("uploads-full"));
    assert!(silent > 0 && full > 0, "{silent} and {full}");
    let slowest = answers.iter().map(|it| it.took).max().expect("answers");
    let during = stack.api.peak_memory();

    stack.s3.thaw();
    stack.works_again().await;
    let persistent = (0..UPLOADS / 4).map(async |_| {
        let mut asked = 1;
        while store(&stack, content.clone()).await.status == 503 {
            asked += 1;
            // As `Retry-After` asks for.
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        asked
    });
    let asked = futures::future::join_all(persistent).await;
    let after = stack.api.peak_memory();
    eprintln!(
        "{UPLOADS} uploads, {silent} told that S3 is silent and {full} that there is no room, within \
         {slowest:.1?}; {before} MiB before, {during} MiB at most; then {} stored, asked {} times, \
         {after} MiB at most",
        asked.len(),
        asked.iter().sum::<usize>()
    );
    assert!(
        after < LIMIT,
        "{before} MiB, {during} MiB, then {after} MiB"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_that_wait_for_a_full_pool_are_told_to_come_back() {
    let _turn = TURN.lock().await;
    let stack = stack().await;
    let before = stack.api.peak_memory();
    let schema = stack.tenancy.identity("globex").schema;
    let mut holder = stack.postgres.superuser().await;
    let lock = format!("BEGIN; LOCK TABLE {schema}.document_metadata");
    let locked = sqlx::raw_sql(AssertSqlSafe(lock))
        .execute(&mut holder)
        .await;
    locked.expect("locked");

    let request = async |number: usize| match number % 2 {
        0 => read(&stack, "documents/1").await,
        _ => store(&stack, vec![0; 16 * 1024]).await,
    };
    let answers = futures::future::join_all((0..CALLERS).map(request)).await;
    // Beyond the client's share of what is under way it is told so at once.
    let is_told = |it: &&Answer| {
        let at_once = it.status == 429 && it.problem.contains("too-many-at-once");
        it.retry_after && (it.status == 503 || at_once)
    };
    let wrong = answers.iter().find(|it| !is_told(it));
    assert!(wrong.is_none(), "{wrong:?}");
    let slowest = |odd| {
        let of_kind = answers.iter().skip(odd).step_by(2);
        of_kind.map(|it| it.took).max().expect("answers")
    };
    let (reads, uploads) = (slowest(0), slowest(1));
    let peak = stack.api.peak_memory();
    eprintln!(
        "{CALLERS} told to come back, reads within {reads:.1?}, uploads within {uploads:.1?}; \
         {before} MiB before, {peak} MiB at most"
    );
    assert!(peak - before < MEMORY, "{before} MiB, then {peak} MiB");

    let unlocked = sqlx::raw_sql("ROLLBACK").execute(&mut holder).await;
    unlocked.expect("unlocked");
    stack.works_again().await;
    let first = read(&stack, "documents/1").await;
    assert_eq!(first.status, 200, "the first after it: {first:?}");
}

/// Longer than a caller waits for a connection that others use.
const SLOW_LOGIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_a_login_that_takes_long_on_a_busy_server() {
    let _turn = TURN.lock().await;
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let slow = Silencer::with_delay(postgres.host(), SLOW_LOGIN);
    tenancy.config["database"]["host"] = slow.host().to_str().expect("UTF-8").into();
    // Far beyond the login, for a busy machine.
    let router = public_router(tenancy.app_with(&["--request-timeout=60s"]));
    let (first, beside) = tokio::join!(
        upload(&router, "globex", "a", b"one"),
        get(&router, "initech", "documents"),
    );
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(beside.status, 200, "{beside:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_everybody_is_told_long_before_the_deadline() {
    let _turn = TURN.lock().await;
    let stack = Stack::start(&["--request-timeout=120s"]).await;
    stack.postgres.stop();
    let answer = read(&stack, "documents/1").await;
    let prompt = answer.status == 503 && answer.retry_after;
    assert!(
        prompt && answer.took < Duration::from_secs(30),
        "{answer:?}"
    );
    assert!(
        answer.problem.contains("database-unavailable"),
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_lead_nowhere_are_given_up_and_replaced() {
    let _turn = TURN.lock().await;
    let postgres = Postgres::start();
    let mut tenancy = postgres.tenancy("acme").await;
    let silencer = Silencer::before(postgres.host());
    tenancy.config["database"]["host"] = silencer.host().to_str().expect("UTF-8").into();
    let router = public_router(tenancy.app_with(FLAGS));
    assert_eq!(upload(&router, "globex", "a", b"one").await.status, 201);

    let schema = tenancy.identity("globex").schema;
    let mut holder = postgres.superuser().await;
    let lock = format!("BEGIN; LOCK TABLE {schema}.document_metadata");
    let locked = sqlx::raw_sql(AssertSqlSafe(lock))
        .execute(&mut holder)
        .await;
    locked.expect("locked");
    let waiting = tokio::spawn({
        let router = router.clone();
        async move {
            let requests = (0..4).map(|_| get(&router, "globex", "documents/1"));
            futures::future::join_all(requests).await
        }
    });
    let mut watcher = postgres.superuser().await;
    eventually("every connection of the client waits", async || {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        let waiting = sqlx::query_scalar::<_, i64>(query);
        waiting.fetch_one(&mut watcher).await.expect("a count") == 4
    })
    .await;
    silencer.silence();
    let unlocked = sqlx::raw_sql("ROLLBACK").execute(&mut holder).await;
    unlocked.expect("unlocked");
    let answers = waiting.await.expect("answers");
    assert!(answers.iter().all(|it| it.status == 503), "{answers:?}");

    eventually("new connections, of which there may be four", async || {
        get(&router, "globex", "documents/1").await.status == 200
    })
    .await;
}

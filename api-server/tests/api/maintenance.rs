//! What the server does by itself: purge, sweep, recount, against a real Postgres.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use docket_api_server::{App, data_store_router, public_router};
use docket_contract::{OWNER_OBJECT, Refusal};
use docket_documents::{Purge, Sweep};
use docket_platform::content_store::ContentStore;
use docket_platform::maintenance::{Refused, Task as _};
use docket_platform::tenant::{Client, Tenant};
use http::{HeaderName, Method, Request, StatusCode, header};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::audit::entries;
use crate::support::postgres::Postgres;
use crate::support::requests::{ask, get, replace, sha256, upload};
use crate::support::{Tenancy, eventually, send};

const ANY: [(HeaderName, &str); 1] = [(header::IF_MATCH, "*")];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

struct Server {
    postgres: Arc<Postgres>,
    tenancy: Tenancy,
    app: Arc<App>,
    router: Router,
    globex: Arc<Client>,
    superuser: PgConnection,
}

async fn server() -> Server {
    let postgres = Postgres::start();
    let tenancy = postgres.tenancy("acme").await;
    let superuser = postgres.superuser().await;
    let mut server = Server::of(Arc::new(postgres), tenancy, superuser);
    // As if the client had been there for long, so that its objects may be old.
    server
        .run("UPDATE schema_migrations SET applied_at = now() - interval '1 year'")
        .await;
    server
}

impl Server {
    fn of(postgres: Arc<Postgres>, tenancy: Tenancy, superuser: PgConnection) -> Self {
        let app = tenancy.app();
        let tenant = Tenant::load(&tenancy.config_file()).expect("a tenant");
        let globex = tenant.clients().find(|client| client.name == "globex");
        Self {
            router: public_router(app.clone()),
            globex: globex.expect("globex").clone(),
            superuser,
            postgres,
            tenancy,
            app,
        }
    }

    /// The same with `members` more in its configuration, as after a rollout.
    fn configured(&mut self, members: &[(&str, serde_json::Value)]) {
        for (name, value) in members {
            self.tenancy.config[*name] = value.clone();
        }
        self.app = self.tenancy.app();
        self.router = public_router(self.app.clone());
    }

    /// Stores a document of globex, after which it is known whose the content is.
    async fn store(&self, name: &str) {
        let answer = upload(&self.router, "globex", name, name.as_bytes()).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        let owner = self.folder().join(OWNER_OBJECT);
        eventually("the content has an owner", async || owner.exists()).await;
    }

    /// Sweeps, as if all that is marked had been marked a week ago.
    async fn sweep_after_a_week(&mut self) -> anyhow::Result<()> {
        self.run("UPDATE unnamed_content SET first_seen = first_seen - interval '7 days 1 minute'")
            .await;
        self.sweep().run(&self.globex).await
    }

    async fn number(&mut self, sql: &str) -> i64 {
        let sql = sql.replace("FROM ", &format!("FROM {}.", self.globex.schema));
        let number = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.superuser);
        number.await.expect("a number")
    }

    fn purge(&self) -> Purge {
        Purge::new(self.app.platform(), &self.content())
    }

    fn sweep(&self) -> Sweep {
        Sweep::new(self.app.platform(), &self.content(), DAY, WEEK)
    }

    /// Where the app has its content.
    fn content(&self) -> ContentStore {
        let platform = self.app.platform();
        let documents = platform.tenant.workloads.documents.as_ref();
        let storage = &documents.expect("documents").storage;
        let memory = platform.upload_memory.clone();
        ContentStore::open(storage, platform.request_timeout, memory).expect("a folder")
    }

    async fn run(&mut self, sql: &str) {
        let schema = &self.globex.schema;
        let sql = format!("SET search_path = {schema}; {sql}");
        let done = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut self.superuser)
            .await;
        done.expect("run");
    }

    async fn usage(&mut self) -> (i64, i64) {
        let sql = format!(
            "SELECT sum(amount) FILTER (WHERE counter = 'documents')::bigint, \
             sum(amount) FILTER (WHERE counter = 'bytes')::bigint FROM {}.usage",
            self.globex.schema
        );
        let usage = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_one(&mut self.superuser)
            .await;
        usage.expect("usage")
    }

    /// Puts document `id` into the trash, as if `days` ago.
    async fn delete(&mut self, id: i64, days: u32) {
        let path = format!("documents/{id}");
        let answer = ask(&self.router, Method::DELETE, "globex", &path).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        self.run(&format!(
            "UPDATE document_metadata SET deleted_timestamp = now() - interval '{days} days' WHERE id = {id}"
        ))
        .await;
    }

    fn folder(&self) -> std::path::PathBuf {
        self.tenancy
            .folder
            .path()
            .join("content")
            .join(&self.globex.schema)
    }

    /// Makes every object `age` old.
    fn age(&self, age: Duration) {
        for entry in std::fs::read_dir(self.folder()).expect("a folder") {
            let file = std::fs::File::options()
                .write(true)
                .open(entry.expect("a file").path());
            let then = SystemTime::now() - age;
            file.expect("a file").set_modified(then).expect("aged");
        }
    }

    fn put(&self, name: &str) {
        std::fs::create_dir_all(self.folder()).expect("a folder");
        std::fs::write(self.folder().join(name), b"orphan").expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_the_trash_for_the_retention_period_ends_and_nothing_else() {
    let mut server = server().await;
    let router = server.router.clone();
    for name in ["old.txt", "recent.txt", "live.txt", "held.txt"] {
        upload(&router, "globex", name, b"1234").await;
    }
    replace(&router, "globex", 1, &ANY, b"12345678").await;
    server.delete(1, 31).await;
    server.delete(2, 29).await;
    server.delete(4, 31).await;
    server
        .run("UPDATE document_metadata SET legal_hold = true WHERE id = 4")
        .await;
    assert_eq!(server.usage().await, (4, 24));

    server.purge().run(&server.globex).await.expect("purged");
    assert_eq!(server.usage().await, (3, 12));
    assert_eq!(server.tenancy.objects(), 3);
    let gone = ask(&router, Method::POST, "globex", "documents/1/restore").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    for id in [2, 4] {
        let path = format!("documents/{id}/restore");
        let restored = ask(&router, Method::POST, "globex", &path).await;
        assert_eq!(restored.status, StatusCode::OK, "{id}");
        let content = get(&router, "globex", &format!("documents/{id}/content")).await;
        assert_eq!(content.text(), "1234");
    }
    let entries = entries(&mut server.superuser, &server.globex.schema, 1).await;
    let last = entries.last().expect("an entry").clone();
    assert_eq!(last, ("purge".to_owned(), 2, "docket".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_documents_end_batch_by_batch() {
    let mut server = server().await;
    server
        .run(
            "INSERT INTO document_metadata \
             (filename, file_size, file_type, content_key, sha256, deleted_timestamp) \
             SELECT 'a', 1, 'text/plain', gen_random_uuid(), sha256('x'), now() - interval '40 days' \
             FROM generate_series(1, 120); \
             UPDATE usage SET amount = 120 WHERE slot = 0",
        )
        .await;
    server.purge().run(&server.globex).await.expect("purged");
    assert_eq!(server.usage().await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_rows_and_objects_leaves_what_the_sweep_takes() {
    let mut server = server().await;
    let router = server.router.clone();
    upload(&router, "globex", "a.txt", b"one").await;
    replace(&router, "globex", 1, &ANY, b"two").await;
    upload(&router, "globex", "live.txt", b"three").await;
    replace(&router, "globex", 2, &ANY, b"four").await;
    server.delete(1, 31).await;
    let removed = server.purge().remove_expired(&server.globex).await;
    let removed = removed.expect("removed");
    assert_eq!((removed.0, removed.1.len()), (1, 2));
    assert_eq!(server.tenancy.objects(), 4, "the crash");

    server.age(DAY - Duration::from_secs(60));
    server.sweep().run(&server.globex).await.expect("swept");
    let marks = "SELECT count(*) FROM unnamed_content";
    assert_eq!(server.number(marks).await, 0, "not before the grace");
    server.age(DAY + Duration::from_secs(60));
    for _ in 0..2 {
        server.sweep().run(&server.globex).await.expect("swept");
        assert_eq!(server.tenancy.objects(), 4, "one look is not enough");
        assert_eq!(server.number(marks).await, 2);
    }
    server.sweep_after_a_week().await.expect("swept");
    assert_eq!(server.tenancy.objects(), 2);
    assert_eq!(server.number(marks).await, 0);
    for (path, content) in [
        ("documents/2/content", "four"),
        ("documents/2/versions/1/content", "three"),
    ] {
        assert_eq!(get(&router, "globex", path).await.text(), content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_leaves_what_is_not_its_own() {
    let mut server = server().await;
    let other = upload(&server.router, "initech", "a.txt", b"one").await;
    assert_eq!(other.status, StatusCode::CREATED);
    server.store("b.txt").await;
    server.put("018f4e5a-0000-7000-8000-000000000001");
    server.put("a note of the administrator.txt");
    server.age(2 * DAY);
    // A new database beside an old bucket knows nothing of what is in there.
    server
        .run("UPDATE schema_migrations SET applied_at = now() - interval '1 day'")
        .await;
    for _ in 0..2 {
        server.sweep_after_a_week().await.expect("swept");
        assert_eq!(server.tenancy.objects(), 4);
    }
    server
        .run("UPDATE schema_migrations SET applied_at = now() - interval '1 year'")
        .await;
    for _ in 0..2 {
        server.sweep_after_a_week().await.expect("swept");
    }
    assert_eq!(server.tenancy.objects(), 3);
}

fn refusal(done: anyhow::Result<()>) -> Refused {
    let error = done.expect_err("it is refused");
    error.downcast_ref::<Refused>().expect("refused").clone()
}

/// What the operator reads of refusals.
async fn refusals(server: &mut Server) -> Vec<(String, String)> {
    let sql = format!(
        "SELECT name, refused FROM {}.maintenance_tasks WHERE refused IS NOT NULL ORDER BY name",
        server.globex.schema
    );
    let read = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut server.superuser);
    read.await.expect("refusals")
}

/// A server on a restored dump of the database of `original`, beside the same content.
async fn clone_of(original: &Server) -> Server {
    original.postgres.clone_as("clone").await;
    let mut tenancy = Tenancy::new(original.postgres.host(), "acme", "ApiKey");
    tenancy.config["database"]["dbname"] = "clone".into();
    let content = original.tenancy.folder.path().join("content");
    tenancy.config["workloads"]["documents"]["storage"]["folder"]["path"] = json!(content);
    let superuser = original.postgres.superuser_of("clone").await;
    Server::of(original.postgres.clone(), tenancy, superuser)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_database_deletes_nothing_of_the_original() {
    let mut original = server().await;
    for name in ["a.txt", "b.txt", "c.txt"] {
        original.store(name).await;
    }
    original.delete(1, 31).await;
    let mut copy = clone_of(&original).await;
    let router = original.router.clone();
    let restored = ask(&router, Method::POST, "globex", "documents/1/restore").await;
    assert_eq!(restored.status, StatusCode::OK);
    for name in ["d.txt", "e.txt"] {
        original.store(name).await;
    }
    original.age(30 * DAY);

    let sweep = Sweep::new(copy.app.platform(), &copy.content(), DAY, Duration::ZERO);
    for _ in 0..2 {
        let refused = refusal(sweep.run(&copy.globex).await);
        assert_eq!(refused.reason, Refusal::ContentOwnedByAnother);
    }
    copy.run("UPDATE maintenance_tasks SET due = now()").await;
    copy.app.maintenance().visit(&copy.globex).await;
    let told = refusals(&mut copy).await;
    let reason = "ContentOwnedByAnother".to_owned();
    let both = ["purge", "sweep"].map(|task| (task.to_owned(), reason.clone()));
    assert_eq!(told, both);
    for id in 1..=5 {
        let content = get(&router, "globex", &format!("documents/{id}/content")).await;
        assert_eq!(content.status, StatusCode::OK, "{id}");
    }
    original.sweep().run(&original.globex).await.expect("swept");
    assert_eq!(refusals(&mut original).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_content_over_by_its_owners_name_may_sweep_it_and_who_had_it_may_not() {
    let original = server().await;
    original.store("a.txt").await;
    let mut copy = clone_of(&original).await;
    let owner = refusal(copy.sweep().run(&copy.globex).await).because;
    copy.configured(&[("takeOverContent", json!([owner]))]);
    copy.sweep().run(&copy.globex).await.expect("swept");
    let refused = refusal(original.sweep().run(&original.globex).await);
    assert_eq!(refused.reason, Refusal::ContentOwnedByAnother);
    assert!(refused.because.ends_with("/1"), "{}", refused.because);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_which_nothing_says_whose_it_is_is_not_swept_until_somebody_says_so() {
    let mut server = server().await;
    server
        .sweep()
        .run(&server.globex)
        .await
        .expect("there is nothing");
    server.put("018f4e5a-0000-7000-8000-000000000001");
    server.age(30 * DAY);
    let refused = refusal(server.sweep().run(&server.globex).await);
    assert_eq!(refused.reason, Refusal::ContentOwnerUnknown);
    server.configured(&[("takeOverContent", json!(["nobody"]))]);
    for _ in 0..2 {
        server.sweep_after_a_week().await.expect("swept");
    }
    assert_eq!(server.tenancy.objects(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_begins_anew_with_an_object_that_was_put_again_and_after_a_time_without_sweeps() {
    let mut server = server().await;
    server.store("a.txt").await;
    let key = "018f4e5a-0000-7000-8000-000000000001";
    server.put(key);
    server.age(30 * DAY);
    server.sweep().run(&server.globex).await.expect("swept");
    // As in rows that come from a backup.
    server
        .run("UPDATE unnamed_content SET last_seen = last_seen - interval '25 hours'")
        .await;
    server.sweep_after_a_week().await.expect("swept");
    assert_eq!(server.tenancy.objects(), 2);
    server.put(key);
    server.age(20 * DAY);
    server.sweep_after_a_week().await.expect("swept");
    assert_eq!(server.tenancy.objects(), 2);
    server.sweep_after_a_week().await.expect("swept");
    assert_eq!(server.tenancy.objects(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_put_again_between_the_look_and_the_removal_stays() {
    let mut server = server().await;
    server.store("a.txt").await;
    let key = "018f4e5a-0000-7000-8000-000000000001";
    server.put(key);
    server.age(30 * DAY);
    server.sweep().run(&server.globex).await.expect("swept");
    // A sweep that is slow: its mark is of before.
    server
        .run(
            "UPDATE unnamed_content SET modified = modified - interval '1 day', \
              first_seen = first_seen - interval '8 days', last_seen = now() + interval '1 hour'",
        )
        .await;
    let later = Sweep::new(server.app.platform(), &server.content(), 60 * DAY, WEEK);
    later.run(&server.globex).await.expect("swept");
    assert_eq!(server.tenancy.objects(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn far_more_content_without_documents_than_usual_stops_the_sweep_until_somebody_allows_it() {
    let mut server = server().await;
    server.store("a.txt").await;
    for number in 0..101 {
        server.put(&format!("018f4e5a-0000-7000-8000-{number:012}"));
    }
    server.age(30 * DAY);
    for _ in 0..2 {
        let refused = refusal(server.sweep_after_a_week().await);
        assert_eq!(refused.reason, Refusal::TooMuchUnnamed);
        assert_eq!(refused.because, "101 of 102");
    }
    assert_eq!(server.tenancy.objects(), 102);
    server
        .run("UPDATE maintenance_tasks SET due = now() - interval '1 s'")
        .await;
    server.app.maintenance().visit(&server.globex).await;
    let told = [("sweep".to_owned(), "TooMuchUnnamed".to_owned())];
    assert_eq!(refusals(&mut server).await, told);

    server.configured(&[("sweepUpTo", json!(101))]);
    server
        .run("UPDATE maintenance_tasks SET due = now() - interval '1 s'")
        .await;
    server.app.maintenance().visit(&server.globex).await;
    assert_eq!(server.tenancy.objects(), 1);
    assert_eq!(
        refusals(&mut server).await,
        [],
        "it is done, and nothing is left to tell"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_a_sweep_could_take_first_is_not_recorded() {
    let server = server().await;
    let key = "018f4e5a-0000-7000-8000-000000000001";
    let data_store = data_store_router(server.app.clone());
    for (age, status) in [(DAY * 13 / 24, 422), (DAY * 11 / 24, 201)] {
        server.put(key);
        server.age(age);
        let body = json!({
            "filename": "a.txt", "file_size": 6, "file_type": "text/plain",
            "content_key": key, "sha256": sha256(b"orphan"),
        });
        let request = Request::post("/clients/globex/documents")
            .header("x-api-key", "globex-key")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string().into())
            .expect("a request");
        let answer = send(&data_store, request).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_done_once_however_many_servers_come_and_again_when_it_is_due() {
    let mut server = server().await;
    for id in 1..=2 {
        upload(&server.router, "globex", "a.txt", b"one").await;
        server.delete(id, 31).await;
        let maintenance = server.app.maintenance();
        let visits = (0..4).map(|_| maintenance.visit(&server.globex));
        futures::future::join_all(visits).await;
        if id == 2 {
            assert_eq!(server.usage().await, (1, 3), "it was done just before");
            server
                .run("UPDATE maintenance_tasks SET due = now() - interval '1 s'")
                .await;
            server.app.maintenance().visit(&server.globex).await;
        }
        assert_eq!(server.usage().await, (0, 0));
    }
    assert_eq!(server.tenancy.objects(), 0);
    drop(server.postgres);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_at_once_when_the_server_drains() {
    let server = server().await;
    let app = server.app.clone();
    let running = tokio::spawn(async move { app.maintain().await });
    server.app.drain();
    let ended = tokio::time::timeout(Duration::from_secs(10), running).await;
    ended.expect("ended").expect("no panic");
}

#[tokio::test]
async fn keys_that_nobody_sends_again_are_forgotten() {
    let mut server = server().await;
    server
        .run(
            "INSERT INTO idempotency_keys (key, holder, leased_until, created_at) VALUES \
             ('old', gen_random_uuid(), now() - interval '1 day', now() - interval '25 hours'), \
             ('new', gen_random_uuid(), now() - interval '1 hour', now() - interval '23 hours')",
        )
        .await;
    server.app.maintenance().visit(&server.globex).await;
    let sql = format!("SELECT key FROM {}.idempotency_keys", server.globex.schema);
    let left: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(&mut server.superuser)
        .await
        .expect("keys");
    assert_eq!(left, [("new".to_owned(),)]);
}

#[tokio::test]
async fn an_upload_that_a_sweep_could_overtake_is_ended() {
    let server = server().await;
    let router = public_router(server.tenancy.app_with(&["--orphan-grace=600ms"]));
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n";
    let drops = futures::stream::unfold(Bytes::from(head), async |drop| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>(drop), Bytes::from("x")))
    });
    let request = Request::put("/clients/globex/upload-document")
        .header("x-api-key", "globex-key")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let request = request.body(Body::from_stream(drops)).expect("a request");
    let answer = send(&router, request).await;
    assert_eq!(
        answer.status,
        StatusCode::REQUEST_TIMEOUT,
        "{}",
        answer.text()
    );
    server.tenancy.content_becomes_empty().await;
}

//! The operator's sessions with a real Postgres.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use docket_fault_matrix::{Fidelity, Postgres};
use docket_operator::content_locations::ContentLocations;
use docket_operator::database::{AdminConnection, ClientRow, Databases};
use docket_operator::error::Error;
use docket_operator::leadership::fence::Fence;
use docket_operator::monitoring::metrics::Metrics;
use docket_schema::{Applied, Identity, Owner, Provision};
use k8s_openapi::ByteString;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

const DATABASE: &str = "tenants";
const DEADLINE: Duration = Duration::from_secs(1);
/// As the operator has it unless told.
const PATIENT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_transaction_that_is_given_up_is_not_done_later_and_keeps_no_session() {
    let postgres = Postgres::start(Fidelity::Swift).await.expect("a Postgres");
    postgres.create_database(DATABASE).await.expect("made");
    let databases = Databases::new(Metrics::default(), Fence::open(), DEADLINE);
    let database = databases.open(&admin(&postgres)).await.expect("open");
    let identity = Identity::of("acme", "acme", "globex");

    let mut holder = postgres.superuser(DATABASE).await.expect("a session");
    let lock = format!(
        "BEGIN; INSERT INTO docket.locks VALUES ('{}')",
        identity.schema
    );
    sqlx::raw_sql(AssertSqlSafe(lock))
        .execute(&mut holder)
        .await
        .expect("locked");
    // As many as there are sessions: one that is not given back would be missed afterwards.
    let start = Instant::now();
    let stuck = (0..8).map(|_| provision(&database, &identity));
    for ended in futures::future::join_all(stuck).await {
        assert!(ended.expect_err("nobody ends it").is_transient());
    }
    assert!(start.elapsed() < 5 * DEADLINE);

    holder.close().await.expect("closed");
    // None of those that were given up has been done meanwhile.
    provision(&database, &identity).await.expect("provisioned");
}

#[tokio::test]
async fn what_a_provision_leaves_is_what_an_inspection_finds() {
    let postgres = Postgres::start(Fidelity::Swift).await.expect("a Postgres");
    postgres.create_database(DATABASE).await.expect("made");
    let databases = Databases::new(Metrics::default(), Fence::open(), DEADLINE);
    let database = databases.open(&admin(&postgres)).await.expect("open");
    let identity = Identity::of("acme", "acme", "globex");
    provision(&database, &identity).await.expect("provisioned");
    let schemas = [identity.schema.clone()];
    let inspection = database.inspect(&schemas).await.expect("an inspection");
    let row = ClientRow::provisioned(
        &identity,
        &owner(),
        (60, 997),
        "hash".into(),
        &["documents"],
        ContentLocations::default(),
    );
    assert_eq!(inspection, [(identity.schema, row)].into());
}

#[tokio::test]
async fn one_of_many_who_wait_for_a_database_that_is_down_finds_out_for_all() {
    let databases = Databases::new(Metrics::default(), Fence::open(), DEADLINE);
    let nowhere = nowhere();
    let open = async || {
        let start = Instant::now();
        let error = databases.open(&nowhere).await.expect_err("it is down");
        assert_eq!(error.problem().reason, "DatabaseUnavailable");
        start.elapsed()
    };
    let alone = open().await;
    let waits = futures::future::join_all((0..16).map(|_| open())).await;
    let long = waits.iter().filter(|wait| **wait > alone / 2);
    assert_eq!(long.count(), 1, "{alone:?} alone, together {waits:?}");
}

/// A server that lets everybody in to its port, and says nothing.
async fn tarpit() -> AdminConnection {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
        }
    });
    connection(&address.ip().to_string(), &address.port().to_string())
}

#[tokio::test]
async fn a_server_that_never_answers_holds_up_one_of_all_who_ask_it() {
    let databases = Databases::new(Metrics::default(), Fence::open(), PATIENT);
    let tarpit = tarpit().await;
    let open = async || {
        let start = Instant::now();
        let error = databases.open(&tarpit).await.expect_err("it is silent");
        assert_eq!(error.problem().reason, "DatabaseUnavailable");
        start.elapsed()
    };
    let alone = open().await;
    assert!(alone < PATIENT / 2, "{alone:?}");
    let waits = futures::future::join_all((0..16).map(|_| open())).await;
    let long = waits.iter().filter(|wait| **wait > alone / 2);
    assert_eq!(long.count(), 1, "{alone:?} alone, together {waits:?}");
}

#[tokio::test]
async fn a_server_that_lets_one_in_and_then_says_nothing_is_given_up_in_seconds_and_by_all() {
    let postgres = Postgres::start(Fidelity::Swift).await.expect("a Postgres");
    postgres.create_database(DATABASE).await.expect("made");
    let databases = Databases::new(Metrics::default(), Fence::open(), PATIENT);
    let database = databases.open(&admin(&postgres)).await.expect("open");
    // Who has a session goes on with it, and its statements wait for this.
    let mut holder = postgres.superuser(DATABASE).await.expect("a session");
    let sql = "BEGIN; LOCK TABLE docket.clients";
    sqlx::raw_sql(sql).execute(&mut holder).await.expect("held");
    let schemas = ["acme_globex".to_owned()];
    let inspect = async || {
        let start = Instant::now();
        let error = database.inspect(&schemas).await.expect_err("it is silent");
        assert_eq!(error.problem().reason, "DatabaseUnavailable");
        start.elapsed()
    };
    let alone = inspect().await;
    assert!(alone < PATIENT / 2, "{alone:?}");
    let waits = futures::future::join_all((0..8).map(|_| inspect())).await;
    let long = waits.iter().filter(|wait| **wait > alone / 2);
    assert_eq!(long.count(), 1, "{alone:?} alone, together {waits:?}");
    holder.close().await.expect("closed");
    database.inspect(&schemas).await.expect("it answers");
}

/// A server that says `welcome` to who comes, and then repeats `answer` without end.
async fn gusher(welcome: Vec<u8>, answer: &'static [u8]) -> AdminConnection {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let welcome = welcome.clone();
            tokio::spawn(async move {
                let _ = caller.write_all(&welcome).await;
                while caller.write_all(answer).await.is_ok() {}
            });
        }
    });
    connection(&address.ip().to_string(), &address.port().to_string())
}

#[tokio::test]
async fn of_an_answer_without_an_end_no_more_is_read_than_an_answer_has() {
    const ADMITTED: &[u8] = b"R\0\0\0\x08\0\0\0\0";
    const READY: &[u8] = b"Z\0\0\0\x05I";
    // What a message announces, more than any is; and messages of which none is large.
    const ROW: &[u8] = b"D\x7f\xff\xff\xff\0\x01\x7f\xff\xff\x00";
    const PARAMETER: &[u8] = b"S\0\0\0\x08a\0b\0";
    let welcome = [ADMITTED, READY].concat();
    for (welcome, answer) in [
        (Vec::new(), ROW),
        (ADMITTED.to_vec(), PARAMETER),
        (welcome.clone(), ROW),
        (welcome, PARAMETER),
    ] {
        let databases = Databases::new(Metrics::default(), Fence::open(), PATIENT);
        let gusher = gusher(welcome, answer).await;
        let error = databases.open(&gusher).await.expect_err("no end");
        let told = error.problem().message;
        assert!(
            told.contains("an answer of more than 2097152 bytes"),
            "{told}"
        );
    }
}

async fn provision(
    database: &docket_operator::database::Database,
    identity: &Identity,
) -> Result<(), Error> {
    let owner = owner();
    let wanted = Provision {
        identity,
        owner: &owner,
        // Postgres makes the verifier itself when it is given the password.
        verifier: "password",
        credential_hash: "hash",
        workloads: &["documents"],
        applied: &Applied::default(),
        content: "{}",
        connections: 60,
    };
    database.provision(&wanted).await
}

fn owner() -> Owner {
    Owner {
        namespace: "acme".into(),
        tenant: "acme".into(),
        tenant_uid: "11111111-2222-3333-4444-555555555555".into(),
        client: "globex".into(),
    }
}

fn admin(postgres: &Postgres) -> AdminConnection {
    let folder = postgres.folder().to_str().expect("UTF-8");
    connection(folder, "5432")
}

/// Where nothing listens.
fn nowhere() -> AdminConnection {
    let address = docket_loopback::free_address().expect("a port");
    connection(&address.ip().to_string(), &address.port().to_string())
}

fn connection(host: &str, port: &str) -> AdminConnection {
    let entries = [
        ("host", host),
        ("port", port),
        ("dbname", DATABASE),
        ("username", docket_fault_matrix::ADMIN),
        ("password", docket_fault_matrix::PASSWORD),
        ("sslmode", "disable"),
    ];
    let secret: BTreeMap<String, ByteString> = entries
        .map(|(key, value)| (key.to_owned(), ByteString(value.into())))
        .into();
    AdminConnection::from_secret(&secret).expect("a whole Secret")
}

//! One operator, as a process, and tenants whose databases and object stores are there to stop it: the next tenant
//! notices nothing.

mod api_server;
mod servers;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use docket_crds::{ConditionType, condition};
use docket_testing_support::{
    Postgres, PostgresSetup, Process, SUPERUSER, SUPERUSER_PASSWORD, mortal,
};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use self::api_server::ApiServer;
use self::servers::{Kind, Server};

const TENANTS: &str = "/apis/docket.dev/v1alpha1/namespaces/acme/documenttenants";
const SECRETS: &str = "/api/v1/namespaces/acme/secrets";

/// Tenants whose databases let everybody in and answer nobody; tried for five seconds each by sixteen workers, all of
/// them would take half a minute.
const TARPITS: usize = 100;
/// Tenants whose databases never come to the end of an answer.
const GUSHERS: usize = 8;
/// Tenants that let a client go, in an object store that never comes to the end of an answer.
const FLOODS: usize = 4;

/// How long the next tenant takes at most: a few seconds on a machine that does nothing else.
const SOON: Duration = Duration::from_secs(20);
/// MiB that the chart gives to the operator.
const MEMORY: u64 = 256;
const LONG: Duration = Duration::from_secs(300);

fn start(server: &ApiServer, folder: &Path) -> Process {
    let kubeconfig = folder.join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": server.url()}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    });
    std::fs::write(&kubeconfig, config.to_string()).expect("written");
    let mut command = operator();
    command
        .args(["--api-image=api", "--collector-image=collector"])
        .args(["--listen=127.0.0.1:0", "--identity=operator"])
        .env("KUBECONFIG", &kubeconfig)
        .env("RUST_LOG", "info")
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT");
    Process::start(command, folder.join("operator.log")).expect("the operator starts")
}

fn operator() -> Command {
    mortal(Path::new(env!("CARGO_BIN_EXE_docket-operator")), "KILL")
}

fn put_secret(server: &ApiServer, name: &str, entries: &[(&str, &str)]) {
    let entries = entries.iter();
    let data =
        entries.map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
    let data: std::collections::BTreeMap<String, ByteString> = data.collect();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "data": data,
        "metadata": {"name": name, "namespace": "acme", "uid": name}});
    server.put(SECRETS, secret);
}

/// A server, and a database in it.
struct Database<'a> {
    host: &'a str,
    port: u16,
    name: &'a str,
}

/// Puts a tenant there that has a Secret of its own for its database.
fn put_tenant(
    server: &ApiServer,
    name: &str,
    database: &Database<'_>,
    clients: &[&str],
    store: &str,
) {
    let secret = format!("{name}-database");
    let entries = [
        ("host", database.host),
        ("port", &database.port.to_string()),
        ("dbname", database.name),
        ("username", SUPERUSER),
        ("password", SUPERUSER_PASSWORD),
        ("sslmode", "disable"),
    ];
    put_secret(server, &secret, &entries);
    let clients: Vec<Value> = clients.iter().map(|name| json!({"name": name})).collect();
    server.put(TENANTS, json!({
        "apiVersion": "docket.dev/v1alpha1", "kind": "DocumentTenant",
        "metadata": {"name": name, "namespace": "acme", "uid": format!("uid-of-{name}"), "generation": 1},
        "spec": {"clients": clients, "database": {"secretRef": {"name": secret}, "deletionPolicy": "Delete"},
            "workloads": {"documents": {"storage": {"s3": {"bucket": "acme", "endpoint": store,
                "secretRef": {"name": "s3"}}}}}},
    }));
}

fn path(name: &str) -> String {
    format!("{TENANTS}/{name}")
}

fn is_ready(server: &ApiServer, name: &str) -> bool {
    let tenant = server.tenant(&path(name));
    condition(&tenant, ConditionType::Ready).is_some_and(|ready| ready.status == "True")
}

/// Returns once `holds`, or fails with the operator's last words.
async fn until(what: &str, patience: Duration, operator: &mut Process, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        let ended = operator.ended();
        assert!(
            ended.is_none() && begun.elapsed() < patience,
            "{what}, {ended:?}: {}",
            operator.last_words()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_that_mean_no_good_do_not_keep_the_next_one_waiting_and_take_no_memory() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = ApiServer::start().await;
    let postgres = Postgres::start(&PostgresSetup::default()).expect("a Postgres");
    let host = postgres.folder().display().to_string();
    let sound = Database {
        host: &host,
        port: 5432,
        name: "postgres",
    };
    let tarpits = Server::start(Kind::Tarpit).await;
    let gushers = Server::start(Kind::Gusher).await;
    let flood = Server::start(Kind::Flood).await;
    let store = format!("http://{}", flood.address);
    let nowhere = "http://127.0.0.1:1";
    let key = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
    ];
    put_secret(&server, "s3", &key);
    let folder = tempfile::tempdir().expect("a folder");
    let mut operator = start(&server, folder.path());

    let floods: Vec<String> = (0..FLOODS).map(|at| format!("flood-{at}")).collect();
    for name in &floods {
        put_tenant(&server, name, &sound, &["globex", "initech"], &store);
    }
    until("tenants come about", LONG, &mut operator, || {
        floods.iter().all(|name| is_ready(&server, name))
    })
    .await;

    for name in &floods {
        server.change(
            &path(name),
            json!({"spec": {"clients": [{"name": "globex"}]}}),
        );
    }
    for (what, count, databases) in [("tarpit", TARPITS, &tarpits), ("gusher", GUSHERS, &gushers)] {
        for at in 0..count {
            let name = format!("{what}-{at}");
            let database = Database {
                host: "127.0.0.1",
                port: databases.address.port(),
                name: &name,
            };
            put_tenant(&server, &name, &database, &["globex"], nowhere);
        }
    }
    let are_busy = || {
        [&tarpits, &flood]
            .iter()
            .all(|it| it.busy.load(Ordering::SeqCst) > 0)
    };
    until("they keep it busy", LONG, &mut operator, are_busy).await;

    let begun = Instant::now();
    put_tenant(&server, "next", &sound, &["globex"], nowhere);
    until("the next one", LONG, &mut operator, || {
        is_ready(&server, "next")
    })
    .await;
    let took = begun.elapsed();
    // Those that take memory have had their turn by now, too.
    until("they answer", LONG, &mut operator, || {
        gushers.busy.load(Ordering::SeqCst) >= GUSHERS
    })
    .await;
    let peak = operator.peak_memory();
    eprintln!("the next one took {took:?}, and the operator {peak} MiB");
    assert!(took < SOON, "{took:?}");
    assert!(peak < MEMORY, "{peak} MiB");
}

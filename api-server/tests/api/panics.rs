//! Panics of what a server does by itself: nothing else ends with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use docket_api_server::App;
use docket_platform::client_routes::ClientRoutes;
use docket_platform::maintenance::Task;
use docket_platform::middleware::scope::Scope;
use docket_platform::problem::ProblemList;
use docket_platform::tenant::Client;
use docket_platform::workload::{Workload, WorkloadScopes};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::support::postgres::Postgres;
use crate::support::telemetry;

const SCOPE: Scope = Scope("faults:read");

/// How often each began.
#[derive(Debug, Default)]
struct Begun {
    work: AtomicUsize,
    task: AtomicUsize,
}

/// A workload of which everything panics at first.
#[derive(Debug)]
struct Faulty(Arc<Begun>);

impl Workload for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn description(&self) -> &'static str {
        "For tests"
    }

    fn scopes(&self) -> WorkloadScopes {
        WorkloadScopes {
            read: SCOPE,
            admin: SCOPE,
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn problems(&self) -> ProblemList {
        ProblemList {
            kinds: &[],
            descriptions: &[],
        }
    }

    fn routes(&self) -> ClientRoutes {
        ClientRoutes::new()
    }

    fn tasks(&self) -> Vec<Arc<dyn Task>> {
        let task = |name, panics| -> Arc<dyn Task> {
            let begun = self.0.clone();
            Arc::new(FaultyTask {
                name,
                panics,
                begun,
            })
        };
        vec![task("a-faulty-task", true), task("b-sound-task", false)]
    }

    fn background(&self, stop: CancellationToken) -> BoxFuture<'static, ()> {
        let begun = self.0.clone();
        async move {
            assert!(begun.work.fetch_add(1, Ordering::SeqCst) > 0, "hush");
            stop.cancelled().await;
        }
        .boxed()
    }
}

#[derive(Debug)]
struct FaultyTask {
    name: &'static str,
    panics: bool,
    begun: Arc<Begun>,
}

impl Task for FaultyTask {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run<'a>(&'a self, _: &'a Client) -> BoxFuture<'a, anyhow::Result<()>> {
        async {
            assert!(!self.panics, "hush");
            self.begun.task.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
        .boxed()
    }
}

/// An app with the faulty workload alone, and how often what it does began.
async fn app(postgres: &Postgres) -> (Arc<App>, Arc<Begun>) {
    let tenancy = postgres.tenancy("acme").await;
    let (settings, tenant) = tenancy.loaded(&[]);
    let begun = Arc::new(Begun::default());
    let registry = telemetry().registry().clone();
    let app = App::with_workloads(&settings, tenant, registry, |_| {
        Ok(vec![Arc::new(Faulty(begun.clone()))])
    });
    (app.expect("an app"), begun)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_workload_does_by_itself_begins_anew_when_it_panics() {
    let postgres = Postgres::start();
    let (app, begun) = app(&postgres).await;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let work = tokio::spawn(async move { app.work(stopping).await });
    let anew = async {
        while begun.work.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let patience = Duration::from_secs(60);
    tokio::time::timeout(patience, anew)
        .await
        .expect("it began anew");
    stop.cancel();
    let ended = tokio::time::timeout(patience, work).await;
    ended.expect("it ends").expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_maintenance_that_panics_keeps_none_behind_it_from_being_done() {
    let postgres = Postgres::start();
    let (app, begun) = app(&postgres).await;
    for client in app.platform().tenant.clients() {
        app.maintenance().visit(client).await;
    }
    let clients = app.platform().tenant.clients().count();
    assert!(clients > 1);
    assert_eq!(begun.task.load(Ordering::SeqCst), clients);
}

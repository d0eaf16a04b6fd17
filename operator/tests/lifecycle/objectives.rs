//! What a status says of objectives, told by a Prometheus that is not one.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use docket_crds::ConditionType;
use docket_operator::monitoring::objectives::{Prometheus, Source};
use serde_json::{Value, json};

use crate::cluster::Cluster;

const SOON: Duration = Duration::from_millis(20);

/// Longer than any test.
const LONG: Duration = Duration::from_secs(60);

/// Requests, and those of them that failed.
type Requests = (u32, u32);

/// A server with the query API of a Prometheus.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Telling>>);

#[derive(Default)]
struct Telling {
    /// Of every tenant over thirty days, and over anything shorter.
    period: Requests,
    lately: Requests,
    /// How long the next answers take.
    delay: Duration,
    /// What was asked, and when it was answered.
    asked: Vec<(String, Instant)>,
}

const TENANTS: [&str; 3] = ["acme", "hooli", "umbrella"];

impl Told {
    async fn start(period: Requests, lately: Requests) -> (Self, Prometheus) {
        let told = Self::default();
        told.tell(period, lately);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new()
            .route("/api/v1/query", post(answer))
            .with_state(told.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        let source = Source {
            url: &url,
            ..Source::default()
        };
        (told, Prometheus::new(&source).expect("a client"))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Telling) -> T) -> T {
        look(&mut self.0.lock().expect("no panic"))
    }

    fn tell(&self, period: Requests, lately: Requests) {
        self.with(|told| (told.period, told.lately) = (period, lately));
    }

    fn asked(&self) -> Vec<(String, Instant)> {
        self.with(|told| told.asked.clone())
    }

    /// Waits until it was asked so often in all.
    async fn asked_times(&self, count: usize) {
        until(|| self.asked().len() >= count).await;
    }
}

async fn answer(State(told): State<Told>, body: String) -> String {
    tokio::time::sleep(told.with(|told| told.delay)).await;
    let query = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "query");
    let query = query.expect("a query").1.into_owned();
    told.with(|told| {
        let (all, failed) = match query.contains("[30d]") {
            true => told.period,
            false => told.lately,
        };
        told.asked.push((query.clone(), Instant::now()));
        let of = |tenant: &str, kind: &str, value: u32| {
            json!({"metric": {"namespace": "acme", "docket_tenant": tenant, "docket_requests": kind},
                "value": [0, value.to_string()]})
        };
        let both = |tenant: &&str| [of(tenant, "all", all), of(tenant, "failed", failed)];
        let mut result: Vec<Value> = TENANTS.iter().flat_map(both).collect();
        if query.contains("docket_workload)") {
            // What is told is of one workload, and of the other nothing works.
            let mut others = result.clone();
            result.iter_mut().for_each(|one| one["metric"]["docket_workload"] = "documents".into());
            for other in &mut others {
                other["metric"]["docket_workload"] = "orders".into();
                other["value"][1] = all.to_string().into();
            }
            result.extend(others);
        }
        json!({"status": "success", "data": {"resultType": "vector", "result": result}}).to_string()
    })
}

async fn until(so: impl Fn() -> bool) {
    let look = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LONG, look).await.expect("it comes");
}

/// A tenant that promises that 99.9 % of its requests are answered.
fn promising() -> Cluster {
    let cluster = Cluster::new(&["globex"], &[]);
    cluster.change(json!({"spec": {"objectives": [{"name": "availability", "target": "99.9"}]}}));
    cluster
}

/// Looks at objectives once in `interval` until `done`.
async fn watched(
    cluster: &Cluster,
    source: Option<Prometheus>,
    interval: Duration,
    done: impl Future<Output = ()>,
) {
    tokio::select! {
        () = cluster.watch_objectives(source, interval) => unreachable!("it goes on"),
        () = done => {}
    }
}

#[tokio::test]
async fn all_tenants_cost_one_query_a_window_and_the_long_one_is_good_for_ten_more_rounds() {
    let cluster = promising();
    let (told, source) = Told::start((1000, 0), (100, 0)).await;
    for name in &TENANTS[1..] {
        cluster.put_copy_of_tenant(name);
    }
    let twelve_rounds = 12 * 4 + 2;
    let done = told.asked_times(twelve_rounds);
    watched(&cluster, Some(source), SOON, done).await;
    let asked = told.asked().into_iter().take(twelve_rounds);
    let long = asked.filter(|(query, _)| query.contains("[30d]")).count();
    assert_eq!(long, 2, "of the first and the twelfth round");
    for name in TENANTS {
        let path = format!("/apis/docket.dev/v1alpha1/namespaces/acme/documenttenants/{name}");
        let status = &cluster.get(&path)["status"];
        assert_eq!(status["errorBudgetRemaining"], "100", "{name}: {status}");
    }
}

#[tokio::test]
async fn what_goes_wrong_in_another_workload_costs_an_objective_of_one_nothing() {
    let cluster = promising();
    let objectives = json!([
        {"name": "all", "target": "99.9"},
        {"name": "stored", "target": "99.9", "workload": "documents"},
    ]);
    cluster.change(json!({"spec": {"objectives": objectives}}));
    let (_told, source) = Told::start((1000, 0), (100, 0)).await;
    let done = until(|| !cluster.writes().is_empty());
    watched(&cluster, Some(source), SOON, done).await;
    let status = cluster.tenant().status.expect("a status");
    let said = status.objectives.iter().map(|it| {
        let workload = it.workload.as_deref();
        (&*it.name, workload, it.observed.as_deref())
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            ("all", None, Some("50")),
            ("stored", Some("documents"), Some("100"))
        ]
    );
}

#[tokio::test]
async fn a_status_is_written_when_what_it_says_changes_and_not_otherwise() {
    // What changes is too little to be seen: 99.95 % to a thousandth.
    let cluster = promising();
    let (told, source) = Told::start((1_000_000, 500), (1000, 0)).await;
    let done = async {
        told.asked_times(60).await;
        told.tell((1_000_900, 500), (1000, 0));
        told.asked_times(120).await;
    };
    watched(&cluster, Some(source), SOON, done).await;
    assert_eq!(cluster.writes().len(), 1);
    let status = cluster.tenant().status.expect("a status");
    let observed = status.objectives[0].observed.as_deref();
    assert_eq!(
        (observed, status.error_budget_remaining.as_deref()),
        (Some("99.95"), Some("50"))
    );
}

#[tokio::test]
async fn however_slow_the_prometheus_is_a_round_begins_an_interval_after_the_one_before() {
    let cluster = promising();
    let (told, source) = Told::start((1000, 0), (100, 0)).await;
    told.with(|told| told.delay = Duration::from_millis(50));
    let interval = Duration::from_millis(300);
    let started = Instant::now();
    let done = async {
        told.asked_times(5).await;
        told.with(|told| told.delay = Duration::ZERO);
        told.asked_times(6).await;
    };
    watched(&cluster, Some(source), interval, done).await;
    let asked = told.asked();
    assert!(
        asked[0].1 - started >= interval,
        "nor does a new operator write at once"
    );
    assert!(asked[5].1 - asked[4].1 >= interval);
}

#[tokio::test]
async fn without_a_source_the_status_says_what_to_set() {
    let cluster = promising();
    let done = until(|| !cluster.writes().is_empty());
    watched(&cluster, None, SOON, done).await;
    let (status, reason, message) = cluster.condition(ConditionType::ObjectivesMet);
    assert_eq!((&*status, &*reason), ("Unknown", "NoMetricsSource"));
    assert!(message.contains("metricsSource.url"), "{message}");
}

#[tokio::test]
async fn a_fast_burn_and_its_end_are_told_once_each() {
    let cluster = promising();
    let (told, source) = Told::start((1_000_000, 10), (1000, 20)).await;
    let done = async {
        until(|| says(&cluster, "FastBurn")).await;
        told.tell((1_000_000, 10), (1000, 0));
        until(|| says(&cluster, "WithinBudget")).await;
        // An Event follows what it tells of.
        until(|| cluster.events().len() > 1).await;
    };
    watched(&cluster, Some(source), SOON, done).await;
    let reasons: Vec<String> = cluster
        .events()
        .into_iter()
        .map(|(reason, _)| reason)
        .collect();
    assert_eq!(reasons, ["FastBurn", "ObjectivesMet"]);
}

/// Whether the reason of `ObjectivesMet` is `reason`.
fn says(cluster: &Cluster, reason: &str) -> bool {
    let tenant = cluster.tenant();
    let met = docket_crds::condition(&tenant, ConditionType::ObjectivesMet);
    met.is_some_and(|it| it.reason == reason)
}

//! The gateway gone for a while under a steady load: what waits and arrives, what is dropped, and what the
//! operator comes to say of it by a Prometheus that scrapes the collector.

use std::io::{BufRead as _, BufReader};

use docket_crds::DocumentTenant;
use kube::runtime::reflector::store;
use tokio::time::MissedTickBehavior;

use super::*;
use crate::monitoring::objectives::{Prometheus, Source};
use crate::monitoring::telemetry_loss::{self, TelemetryLoss};
use crate::recheck::Recheck;
use crate::validated_tenant::Notice;

/// What is sent of each signal ten times a second.
const ITEMS: usize = 12;

/// Bytes of the attribute that gives an item its size.
const PADDING_BYTES: usize = 1000;

const TICK: Duration = Duration::from_millis(100);

/// A signal, as OTLP over HTTP and the collector's metrics call it.
struct Signal {
    path: &'static str,
    root: &'static str,
    items: &'static str,
    of: fn(Vec<Value>) -> Value,
}

static SIGNALS: [Signal; 3] = [
    Signal {
        path: "traces",
        root: "resourceSpans",
        items: "spans",
        of: |attributes| {
            let span = |attributes: Value| {
                json!({"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "request",
                    "startTimeUnixNano": "1", "endTimeUnixNano": "2", "attributes": attributes})
            };
            let spans: Vec<Value> = attributes.into_iter().map(span).collect();
            json!({"scopeSpans": [{"spans": spans}]})
        },
    },
    Signal {
        path: "metrics",
        root: "resourceMetrics",
        items: "metric_points",
        of: |attributes| {
            let point = |attributes: Value| json!({"timeUnixNano": "1", "asInt": "1", "attributes": attributes});
            let points: Vec<Value> = attributes.into_iter().map(point).collect();
            json!({"scopeMetrics": [{"metrics": [{"name": "level", "gauge": {"dataPoints": points}}]}]})
        },
    },
    Signal {
        path: "logs",
        root: "resourceLogs",
        items: "log_records",
        of: |attributes| {
            let record = |attributes| json!({"timeUnixNano": "1", "body": {"stringValue": "request"}, "attributes": attributes});
            let records: Vec<Value> = attributes.into_iter().map(record).collect();
            json!({"scopeLogs": [{"logRecords": records}]})
        },
    },
];

impl Signal {
    /// The items of one tick, told apart by their number.
    fn batch(&self, tick: usize) -> Value {
        let attributes = |number: usize| {
            json!([
                {"key": "number", "value": {"intValue": number.to_string()}},
                {"key": PADDING, "value": {"stringValue": "x".repeat(PADDING_BYTES)}},
            ])
        };
        let numbers = tick * ITEMS..(tick + 1) * ITEMS;
        json!({self.root: [(self.of)(numbers.map(attributes).collect())]})
    }

    /// A metric that the collector has for each signal.
    async fn counted(&self, sidecar: &Sidecar, what: &str) -> usize {
        let name = format!("otelcol_exporter_{what}_{}", self.items);
        sidecar.sum(&name, |_| true).await.unwrap_or_default() as usize
    }

    /// One of its queue.
    async fn queue(&self, sidecar: &Sidecar, what: &str) -> f64 {
        let label = format!("data_type=\"{}\"", self.path);
        let name = format!("otelcol_exporter_queue_{what}");
        let sum = sidecar.sum(&name, |line| line.contains(&label));
        sum.await.unwrap_or_default()
    }
}

impl Gateway {
    /// The numbers of the items of `signal` that arrived.
    fn numbers(&self, signal: &Signal) -> Vec<usize> {
        let file = std::fs::File::open(self.folder.path().join("out")).expect("a file");
        let batches = BufReader::new(file).lines().map_while(Result::ok);
        let batches = batches.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        let mut found = Vec::new();
        for batch in batches {
            collect(&batch[signal.root], &mut found);
        }
        found
    }
}

/// The attributes `number` anywhere in `value`.
fn collect(value: &Value, found: &mut Vec<usize>) {
    match value {
        Value::Array(values) => values.iter().for_each(|it| collect(it, found)),
        Value::Object(members) if members.get("key").is_some_and(|key| key == "number") => {
            let number = value["value"]["intValue"].as_str();
            found.extend(number.and_then(|number| number.parse::<usize>().ok()));
        }
        Value::Object(members) => members.values().for_each(|it| collect(it, found)),
        _ => {}
    }
}

/// A steady load on a collector, and what the operator said meanwhile of its tenant.
struct Load {
    sidecar: Sidecar,
    losses: TelemetryLoss,
    ticks: usize,
    pace: tokio::time::Interval,
    start: Instant,
    said: Vec<(Duration, Option<Notice>)>,
}

impl Load {
    async fn tick(&mut self) {
        self.pace.tick().await;
        for signal in &SIGNALS {
            let items = signal.batch(self.ticks);
            self.sidecar.send(signal.path, &items).await;
        }
        self.ticks += 1;
        let notice = self.losses.of("acme", "acme", &[]);
        if self.said.last().is_none_or(|(_, last)| *last != notice) {
            self.said.push((self.start.elapsed(), notice));
        }
    }

    /// Goes on until `done`, which is asked once a second.
    async fn until(&mut self, what: &str, patience: Duration, done: impl AsyncFn(&Self) -> bool) {
        let start = Instant::now();
        loop {
            for _ in 0..10 {
                self.tick().await;
            }
            if done(self).await {
                return;
            }
            assert!(start.elapsed() < patience, "{what} did not come about");
        }
    }

    /// Whether the queue of each signal is filled to less than this part.
    async fn waits_less_than(&self, part: f64) -> bool {
        for signal in &SIGNALS {
            let capacity = signal.queue(&self.sidecar, "capacity").await;
            if signal.queue(&self.sidecar, "size").await >= part * capacity {
                return false;
            }
        }
        true
    }

    fn reasons(&self) -> Vec<&'static str> {
        let reasons = self.said.iter().filter_map(|(_, notice)| notice.as_ref());
        let mut reasons: Vec<_> = reasons.map(|notice| notice.reason).collect();
        reasons.dedup();
        reasons
    }

    /// `VmHWM` and the like of the collector, in MiB.
    fn memory(&self, name: &str) -> u64 {
        let file = format!("/proc/{}/status", self.sidecar.collector.id());
        let status = std::fs::read_to_string(file).expect("a process");
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.expect("a number") / 1024
    }
}

/// How the outage went.
struct CircuitBreaker {
    reasons: Vec<&'static str>,
    /// The last thing said while the gateway was away.
    told: String,
}

/// Takes the gateway away for `lasting` and on until what is dropped is said, brings it back, and holds what
/// arrived and what was counted against what was sent. `change` is the collector's, beside that it has the
/// memory of its container.
async fn outage(lasting: Duration, change: &Value) -> CircuitBreaker {
    let port = free_port();
    let wanted = sending(Telemetry {
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        ..Telemetry::default()
    });
    let mut of_container = change.clone();
    of_container["processors"] =
        json!({"memory_limiter": {"limit_mib": 102, "spike_limit_mib": 25}});
    let before = Gateway::start(port, Value::Null);
    let sidecar = Sidecar::start(&wanted, of_container).await;
    let losses = TelemetryLoss::unknown();
    let labels = json!({"namespace": "acme", "docket_tenant": "acme", "pod": "acme-api-1"});
    let (_prometheus, url) = docket_testing_support::scraper(
        &sidecar.folder.path().join("prometheus"),
        &format!("127.0.0.1:{}", sidecar.metrics),
        &labels,
    )
    .expect("it starts");
    let source = Source {
        url: &url,
        ..Source::default()
    };
    let source = Prometheus::new(&source).expect("a source");
    let (tenants, _writer) = store::<DocumentTenant>();
    let (_filled, filled) = tokio::sync::watch::channel(true);
    let second = Duration::from_secs(1);
    tokio::spawn(telemetry_loss::watch(
        tenants,
        Some(source),
        Vec::new(),
        second,
        filled,
        losses.clone(),
        Recheck::default(),
    ));

    let mut pace = tokio::time::interval(TICK);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut load = Load {
        sidecar,
        losses,
        ticks: 0,
        pace,
        start: Instant::now(),
        said: Vec::new(),
    };
    load.until(
        "what is sent to a gateway that is there",
        PATIENCE,
        async |load| load.ticks >= 20,
    )
    .await;
    until("its arrival", async || {
        let all = load.ticks * ITEMS;
        let arrived = |signal: &Signal| before.numbers(signal).len() >= all;
        SIGNALS.iter().all(arrived).then_some(())
    })
    .await;

    let mut before = before;
    before.collector.kill();
    load.start = Instant::now();
    load.said.clear();
    load.until("the outage", lasting + PATIENCE, async |load| {
        load.start.elapsed() >= lasting && load.reasons().contains(&"TelemetryDropped")
    })
    .await;
    let away = load.start.elapsed();
    let reasons = load.reasons();
    let (_, told) = load.said.last().cloned().expect("something is said");
    let mut waited = Vec::new();
    for signal in &SIGNALS {
        let [size, capacity] = [
            signal.queue(&load.sidecar, "size").await,
            signal.queue(&load.sidecar, "capacity").await,
        ];
        // Less than a batch of a fifth of a second is missing.
        let batch = (3 * ITEMS * (PADDING_BYTES + 300)) as f64;
        assert!(
            size <= capacity && size > capacity - batch,
            "{size} of {capacity} bytes wait of {}",
            signal.items
        );
        waited.push(size);
    }

    let after = Gateway::start(port, Value::Null);
    let back = Instant::now();
    // A connection is tried again after two minutes at the latest.
    let patience = Duration::from_secs(150);
    load.until("news of its return", patience, async |load| {
        load.waits_less_than(0.9).await
    })
    .await;
    let noticed = back.elapsed();
    load.until("an empty queue", PATIENCE, async |load| {
        load.waits_less_than(0.05).await
    })
    .await;
    let emptied = back.elapsed();
    eprintln!(
        "away for {:.0} s, {} items of {PADDING_BYTES} bytes of each signal a second; its return was noticed after \
         {:.0} s, and the queues were empty after {:.0} s; the collector held {} MiB at most, {} MiB of it its own now",
        away.as_secs_f64(),
        ITEMS * 10,
        noticed.as_secs_f64(),
        emptied.as_secs_f64(),
        load.memory("VmHWM"),
        load.memory("RssAnon"),
    );
    for (at, notice) in &load.said {
        let said = notice.as_ref().map_or("nothing", |notice| notice.reason);
        eprintln!("after {:.0} s: {said}", at.as_secs_f64());
    }

    let sent = load.ticks * ITEMS;
    for (signal, waited) in SIGNALS.iter().zip(waited) {
        let dropped = until("all that was sent is accounted for", async || {
            let dropped = signal.counted(&load.sidecar, "enqueue_failed").await;
            let taken = signal.counted(&load.sidecar, "sent").await;
            (taken + dropped >= sent).then_some(dropped)
        })
        .await;
        let mut arrived = before.numbers(signal);
        let later = until("all that the gateway took", async || {
            let later = after.numbers(signal);
            (arrived.len() + later.len() + dropped >= sent).then_some(later)
        })
        .await;
        arrived.extend(later);
        let mut is_there = vec![false; sent];
        for number in &arrived {
            is_there[*number] = true;
        }
        let missing: Vec<usize> = (0..sent).filter(|number| !is_there[*number]).collect();
        let (first, last) = (missing[0], missing[missing.len() - 1]);
        eprintln!(
            "{}: {sent} sent, {waited} bytes waited, {} arrived, {} twice, {dropped} dropped, from number {first} to {last}",
            signal.items,
            sent - missing.len(),
            arrived.len() - (sent - missing.len()),
        );
        assert_eq!(missing.len(), dropped, "lost and counted {}", signal.items);
        assert_eq!(signal.counted(&load.sidecar, "send_failed").await, 0);
        // What is dropped is what comes while the queue is full; a small batch may still find room.
        let found_room = last - first + 1 - missing.len();
        assert!(found_room <= 6 * ITEMS, "{found_room} of {}", signal.items);
    }
    CircuitBreaker {
        reasons,
        told: told.map(|notice| notice.message).unwrap_or_default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_into_the_queue_while_the_gateway_is_away_arrives_and_the_rest_is_counted_and_said()
 {
    let mut change = hasty();
    change["exporters"]["otlp_grpc"]["sending_queue"] = json!({"queue_size": 256 * 1024});
    let outage = outage(Duration::from_secs(3), &change).await;
    assert_eq!(outage.reasons.last(), Some(&"TelemetryDropped"));
    assert!(
        outage.told.contains("the collectors dropped telemetry"),
        "{}",
        outage.told
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-faults"]
async fn ten_minutes_without_the_gateway_cost_what_comes_once_the_queue_is_full_and_nothing_else() {
    let outage = outage(Duration::from_secs(600), &json!({})).await;
    let in_their_order = [
        "TelemetryNotSent",
        "TelemetryQueueFilling",
        "TelemetryDropped",
    ];
    assert_eq!(outage.reasons, in_their_order);
    eprintln!("{}", outage.told);
}

//! What a tenant promises, and what its status says of it, told by a real Prometheus.

use std::sync::Arc;

use anyhow::{Result, ensure};
use docket_crds::ConditionType;
use serde_json::{Value, json};

use crate::case::{REST, rest};
use crate::ground::Ground;
use crate::prometheus::{Prometheus, Traffic};
use crate::scenario::TENANT;
use crate::world::{UNHURRIED, World, condition, is_met};

/// The condition that tells of objectives.
const MET: ConditionType = ConditionType::ObjectivesMet;

/// Traffic that keeps its promises, that breaks one, that breaks both, and none: the status says so,
/// and is written only when what it says changes.
///
/// # Errors
/// What the status says instead.
pub async fn a_status_says_how_far_promises_are_kept(ground: &Arc<Ground>) -> Result<()> {
    let namespace = ground.next_name();
    let folder = ground.plane.folder();
    let prometheus = Prometheus::start(folder, &namespace, TENANT).await?;
    let arguments = [
        format!("--prometheus-url={}", prometheus.url()),
        "--objectives-interval=1s".to_owned(),
    ];
    let world = World::told(ground.clone(), UNHURRIED, namespace, &arguments).await?;
    let mut spec = world.spec();
    spec["clients"] = json!([{"name": "globex"}]);
    spec["objectives"] = json!([
        {"name": "availability", "target": "99.9"},
        {"name": "latency", "target": "90", "threshold": "300ms"},
    ]);
    world.create(TENANT, &spec).await?;
    world.ready(TENANT).await?;
    says(&world, "Unknown", "NoTraffic", |status| {
        status["errorBudgetRemaining"].is_null()
    })
    .await?;

    prometheus.sees(Traffic {
        good: 1000,
        ..Traffic::default()
    });
    says(&world, "True", "WithinBudget", |status| {
        status["errorBudgetRemaining"] == "100"
            && status["objectives"][0]["observed"] == "100"
            && rate(&status["objectives"][0], "5m") == Some("0")
    })
    .await?;
    world.quiet(REST).await?;
    rest(&world, 3 * REST).await?;

    // Three in ten are late, where one may be: the first budget is whole, the second is gone.
    prometheus.sees(Traffic {
        good: 7000,
        slow: 100_000,
        failed: 0,
    });
    says(&world, "False", "BudgetExhausted", |status| {
        let met = condition(status, MET);
        status["objectives"][0]["errorBudgetRemaining"] == "100"
            && status["objectives"][1]["errorBudgetRemaining"]
                .as_str()
                .is_some_and(|left| left.starts_with('-'))
            && met.is_some_and(|it| it.message.contains("of latency is"))
    })
    .await?;

    prometheus.sees(Traffic {
        good: 0,
        slow: 0,
        failed: 1_000_000,
    });
    says(&world, "False", "BudgetExhausted", |status| {
        status["objectives"][0]["errorBudgetRemaining"] == "-1000"
    })
    .await?;
    let tenant = world.tenant(TENANT).await?.unwrap_or_default();
    ensure!(
        is_met(&tenant, "True"),
        "a promise that is broken makes no tenant less ready: {}",
        tenant["status"]
    );

    world
        .change(TENANT, &json!({"spec": {"objectives": null}}))
        .await?;
    world
        .until(|| async {
            let tenant = world.tenant(TENANT).await?.unwrap_or_default();
            let status = &tenant["status"];
            let nothing = status["objectives"].is_null()
                && status["errorBudgetRemaining"].is_null()
                && condition(status, MET).is_none();
            Ok(match nothing {
                true => Ok(()),
                false => Err(format!("something is left: {status}")),
            })
        })
        .await?;
    world.end().await
}

/// A collector that drops, one whose queue is nearly full, and one that is well: `CollectorReady` says so,
/// keeps nobody from being ready, and is written only when what it says changes.
///
/// # Errors
/// What the status says instead.
pub async fn a_status_says_what_telemetry_is_lost(ground: &Arc<Ground>) -> Result<()> {
    let namespace = ground.next_name();
    let prometheus = Prometheus::start(ground.plane.folder(), &namespace, TENANT).await?;
    let arguments = [
        format!("--prometheus-url={}", prometheus.url()),
        "--objectives-interval=1s".to_owned(),
    ];
    let world = World::told(ground.clone(), UNHURRIED, namespace, &arguments).await?;
    let mut spec = world.spec();
    spec["clients"] = json!([{"name": "globex"}]);
    world.create(TENANT, &spec).await?;
    world.ready(TENANT).await?;
    collector_is(&world, "Running").await?;

    let metric = |name: &str, value: u64| {
        format!("otelcol_exporter_{name}{{data_type=\"logs\",exporter=\"otlp_grpc\"}} {value}\n")
    };
    let queue = |size| metric("queue_size", size) + &metric("queue_capacity", 100);
    prometheus.collector_says(&queue(90));
    collector_is(&world, "TelemetryQueueFilling").await?;
    prometheus.collector_says(&(queue(100) + &metric("enqueue_failed_log_records", 300)));
    let told = collector_is(&world, "TelemetryDropped").await?;
    ensure!(told.contains("100 or more"), "{told}");
    world.quiet(REST).await?;
    rest(&world, 3 * REST).await?;
    let tenant = world.tenant(TENANT).await?.unwrap_or_default();
    ensure!(
        is_met(&tenant, "True"),
        "telemetry that is lost makes no tenant less ready: {}",
        tenant["status"]
    );
    prometheus.collector_says("");
    collector_is(&world, "Running").await?;
    world.end().await
}

/// Waits until `CollectorReady` is True for `reason`; returns its message.
async fn collector_is(world: &World, reason: &str) -> Result<String> {
    let type_ = ConditionType::CollectorReady;
    let found = world.says(TENANT, type_, "True", reason).await?;
    Ok(found.message)
}

/// Waits until the status says so.
async fn says(
    world: &World,
    status: &str,
    reason: &str,
    and: impl Fn(&Value) -> bool,
) -> Result<()> {
    world
        .until(|| async {
            let tenant = world.tenant(TENANT).await?.unwrap_or_default();
            let found = &tenant["status"];
            let met = condition(found, MET);
            let so = met.is_some_and(|it| it.status == status && it.reason == reason) && and(found);
            Ok(match so {
                true => Ok(()),
                false => Err(format!("wanted {status} {reason}, found {found}")),
            })
        })
        .await
}

fn rate<'a>(objective: &'a Value, window: &str) -> Option<&'a str> {
    let rates = objective["burnRates"].as_array()?;
    rates.iter().find(|it| it["window"] == window)?["rate"].as_str()
}

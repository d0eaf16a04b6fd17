//! A tenant that has another component beside `api`: whatever is done with children is done with those of both.

use docket_crds::{Autoscaling, ConditionType, labels};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;

use super::super::apply::{self, AllApplied};
use super::super::cleanup::pods_are_gone;
use super::*;
use crate::build::{Children, Component, children_of, components, secrets};
use crate::cache::pods::ObservedPod;
use crate::identified::Identified;
use crate::status::outcome::{Outcome, Progress, Sight};
use crate::status::report::report_of;
use crate::status::rollout::{Rollout, Rollouts};
use crate::validated_tenant::ValidatedTenant;
use crate::validated_tenant::example::acme;

const WORKER: &str = "worker";
const API_DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-api";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/acme/deployments/acme-worker";
const PODS: &str = "/api/v1/namespaces/acme/pods";
const BUDGET: &str = "/apis/policy/v1/namespaces/acme/poddisruptionbudgets/acme-worker";

/// What `acme` is made of, owned by the tenant of these tests.
fn wanted() -> ValidatedTenant {
    let mut wanted = acme();
    wanted.uid = "u".into();
    wanted.owner.uid = "u".into();
    wanted
}

/// A component that nobody calls, of three pods or as many as an autoscaler chooses.
fn worker(wanted: &ValidatedTenant, autoscaling: Option<Autoscaling>) -> Component {
    let [api] = &components(wanted)[..] else {
        panic!("acme has one component");
    };
    let mut container = api.container.clone();
    container.name = WORKER.into();
    Component {
        name: WORKER,
        container,
        ports: Vec::new(),
        replicas: 3,
        autoscaling,
    }
}

/// The children of a tenant that has a worker, or may have had one.
fn children(with_worker: bool) -> Children {
    let wanted = wanted();
    let autoscaling = json!({"maxReplicas": 9});
    let autoscaling = serde_json::from_value(autoscaling).expect("an autoscaler");
    let mut components = components(&wanted);
    if with_worker {
        components.push(worker(&wanted, Some(autoscaling)));
    }
    children_of(&wanted, &components, &[labels::API, WORKER])
}

fn identified() -> Identified<DocumentTenant> {
    let tenant = serde_json::from_value(tenant()).expect("a tenant");
    Identified::new(Arc::new(tenant)).expect("it has an identity")
}

/// What the API server and the watches know of the worker of a tenant that no longer asks for one.
fn left(server: FakeApiServer) -> (FakeApiServer, Arc<Context>) {
    let [_, left] = &children(true).components[..] else {
        panic!("two components");
    };
    let (deployment, budget) = (&left.deployment, &left.pod_disruption_budget);
    let (deployment, budget) = (deployment.clone(), budget.clone());
    let (deployment, budget) = (deployment.expect("pods"), budget.expect("a budget"));
    let server = server
        .keeping(DEPLOYMENT, json!(deployment))
        .keeping(BUDGET, json!(budget));
    let context = context(&server);
    context.caches.deployments.take(&Event::Apply(deployment));
    context
        .caches
        .disruption_budgets
        .take(&Event::Apply(budget));
    (server, context)
}

/// Paths of what was deleted, in order.
fn deleted(server: &FakeApiServer) -> Vec<String> {
    let written = server.written.lock().expect("no panic");
    let deleted = written.iter().filter(|(verb, ..)| verb == Method::DELETE);
    deleted.map(|(_, path, _)| path.clone()).collect()
}

async fn applied(children: Children, ctx: &Context) -> (AllApplied, Vec<String>) {
    let applied = apply::children(&identified(), children, ctx).await;
    let applied = applied.expect("no failure");
    let changes = applied.changes.iter().map(ToString::to_string).collect();
    (applied, changes)
}

#[tokio::test]
async fn each_component_has_children_of_its_own_and_shares_the_rest() {
    let server = FakeApiServer::default();
    let (_, changes) = applied(children(true), &context(&server)).await;
    for own in ["NetworkPolicy", "PodDisruptionBudget", "Deployment"] {
        for component in [labels::API, WORKER] {
            let created = format!("created {own}/acme-{component}");
            assert!(changes.contains(&created), "no {created} in {changes:?}");
        }
    }
    for only in [
        "Service/acme-api",
        "ServiceAccount/acme-api",
        "HorizontalPodAutoscaler/acme-worker",
    ] {
        let created = format!("created {only}");
        let of_kind = only.split_once('/').expect("a kind").0;
        let of_kind = format!("created {of_kind}/");
        let all: Vec<_> = changes
            .iter()
            .filter(|it| it.starts_with(&of_kind))
            .collect();
        assert_eq!(all, [&created]);
    }
}

#[tokio::test]
async fn a_component_begins_with_its_own_number_of_pods_and_is_selected_by_its_own_labels() {
    let server = FakeApiServer::default();
    let (applied, _) = applied(children(true), &context(&server)).await;
    assert_eq!(applied.rollouts.api().wanted, 2);
    let others: Vec<_> = applied.rollouts.others_under_way().collect();
    let [(WORKER, worker)] = others[..] else {
        panic!("{others:?}");
    };
    assert_eq!(worker.wanted, 3, "though an autoscaler chooses them later");
    let written = server.written.lock().expect("no panic");
    let deployments = written
        .iter()
        .filter(|(_, path, _)| path.ends_with("/deployments"));
    let selected = deployments.map(|(_, _, body)| {
        let spec = &body["spec"];
        let selector = &spec["selector"]["matchLabels"][labels::COMPONENT];
        assert_eq!(
            *selector,
            spec["template"]["metadata"]["labels"][labels::COMPONENT]
        );
        selector.as_str().unwrap_or_default().to_owned()
    });
    assert_eq!(selected.collect::<Vec<_>>(), [labels::API, WORKER]);
}

#[tokio::test]
async fn a_component_that_is_no_longer_asked_for_goes_and_the_other_stays() {
    let (server, context) = left(FakeApiServer::default());
    let (applied, changes) = applied(children(false), &context).await;
    for gone in ["Deployment", "PodDisruptionBudget"] {
        let gone = format!("deleted {gone}/acme-worker");
        assert!(changes.contains(&gone), "no {gone} in {changes:?}");
    }
    assert_eq!(applied.rollouts.others_under_way().count(), 0);
    assert_eq!(deleted(&server), [BUDGET, DEPLOYMENT]);
}

#[tokio::test]
async fn a_deleted_tenant_loses_the_pods_of_each_component_before_its_data() {
    let components = [labels::API, WORKER];
    let [api, worker] = &children(true).components[..] else {
        panic!("two components");
    };
    let server = FakeApiServer::default()
        .keeping(API_DEPLOYMENT, json!(api.deployment))
        .keeping(DEPLOYMENT, json!(worker.deployment));
    let are_gone = pods_are_gone(&identified(), &components, &context(&server)).await;
    assert!(!are_gone.expect("no failure"));
    assert_eq!(deleted(&server), [API_DEPLOYMENT, DEPLOYMENT]);

    let one_is_left = FakeApiServer::default().keeping(DEPLOYMENT, json!(worker.deployment));
    let are_gone = pods_are_gone(&identified(), &components, &context(&one_is_left)).await;
    assert!(!are_gone.expect("no failure"));
    let pods = |items: Value| json!({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": items});
    let ending =
        json!([{"metadata": {"name": "acme-api-1", "deletionTimestamp": "2026-11-29T12:00:00Z"}}]);
    let one_is_ending = FakeApiServer::default().answering(PODS, StatusCode::OK, pods(ending));
    let are_gone = pods_are_gone(&identified(), &components, &context(&one_is_ending)).await;
    assert!(
        !are_gone.expect("no failure"),
        "though no Deployment has it"
    );
    let none_is_left = FakeApiServer::default().answering(PODS, StatusCode::OK, pods(json!([])));
    let are_gone = pods_are_gone(&identified(), &components, &context(&none_is_left)).await;
    assert!(are_gone.expect("no failure"));
}

#[tokio::test]
async fn a_plan_names_what_would_be_done_with_each_component() {
    let planned = async |children, ctx: &Context| {
        let planned = apply::plan(&identified(), secrets(&wanted()), children, ctx).await;
        let planned = planned.expect("no failure").into_iter();
        planned
            .map(|change| format!("{} {}", change.action, change.object))
            .collect::<Vec<_>>()
    };
    let server = FakeApiServer::default();
    let created = planned(children(true), &context(&server)).await;
    for created_one in [
        "create Deployment/acme-api",
        "create Deployment/acme-worker",
    ] {
        assert!(created.iter().any(|it| it == created_one), "{created:?}");
    }
    let (server, context) = left(FakeApiServer::default());
    let pruned = planned(children(false), &context).await;
    assert!(
        pruned
            .iter()
            .any(|it| it == "delete Deployment/acme-worker"),
        "{pruned:?}"
    );
    assert!(server.written.lock().expect("no panic").is_empty());
}

/// Pods of which each has its collector.
fn sight() -> Sight {
    let pod = ObservedPod {
        ending: false,
        has_collector: true,
        last_words: None,
        trouble: None,
        endpoint: None,
    };
    Sight {
        pods: vec![pod],
        ..Sight::default()
    }
}

/// A component whose pods are all there but for `missing`.
fn rollout(component: &str, missing: i32) -> (String, Rollout) {
    let deployment: Deployment = serde_json::from_value(json!({
        "metadata": {"generation": 1, "labels": {labels::COMPONENT: component}},
        "spec": {"replicas": 2, "selector": {}, "template": {}},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 - missing},
    }))
    .expect("a Deployment");
    Rollout::of_component(&deployment)
}

#[test]
fn a_tenant_is_ready_when_all_its_components_are_and_says_which_is_not() {
    let ready = |rollouts: Rollouts| {
        let wanted = wanted();
        let outcome = Outcome::Progress(Progress {
            wanted: &wanted,
            rollouts: &rollouts,
            remaining: Vec::new(),
            changed: None,
        });
        let report = report_of(&identified(), &outcome, &sight(), Timestamp::UNIX_EPOCH);
        let conditions = &report.status.conditions;
        let found = |type_: ConditionType| {
            let found = type_.among(conditions).expect("it is there");
            (
                found.status.clone(),
                found.reason.clone(),
                found.message.clone(),
            )
        };
        (
            found(ConditionType::Ready),
            found(ConditionType::ApiAvailable),
            report.status.api,
        )
    };
    let both = |worker| {
        [rollout(labels::API, 0), rollout(WORKER, worker)]
            .into_iter()
            .collect()
    };
    let (all_there, ..) = ready(both(0));
    assert_eq!((&*all_there.0, &*all_there.1), ("True", "Ready"));
    for (missing, reason) in [(1, "RollingOut"), (2, "NoPodServes")] {
        let (waits, available, api) = ready(both(missing));
        assert_eq!((&*waits.0, &*waits.1), ("False", reason));
        assert!(
            waits.2.starts_with("Of the component worker, "),
            "{}",
            waits.2
        );
        assert_eq!((&*available.0, &*available.1), ("True", "Available"));
        let api = api.expect("of the API alone");
        assert_eq!((api.replicas, api.ready_replicas), (2, 2));
    }
}

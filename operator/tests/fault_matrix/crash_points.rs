//! The operator at every crash point, on a control plane of its own: see `testing/fault-matrix/`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use docket_fault_matrix::database_trouble::a_status_follows_its_database;
use docket_fault_matrix::handover::a_number_of_pods_changes_hands;
use docket_fault_matrix::matrix::{Selection, matrix};
use docket_fault_matrix::one_namespace::{a_life_in_one_namespace, two_lives_side_by_side};
use docket_fault_matrix::promises::{
    a_status_says_how_far_promises_are_kept, a_status_says_what_telemetry_is_lost,
};
use docket_fault_matrix::stale::{a_tenant_that_comes_back_unseen, disturbed, stale};
use docket_fault_matrix::states::states;
use docket_fault_matrix::workloads::a_spec_names_its_workloads;
use docket_fault_matrix::{Disturbance, Fault, Ground, Scenario};

async fn ground() -> Arc<Ground> {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_docket-operator"));
    // Another one, to see what the matrix sees.
    let binary = std::env::var_os("DOCKET_OPERATOR").map_or(built, PathBuf::from);
    Arc::new(Ground::prepare(binary).await.expect("a control plane"))
}

/// How long nothing may be written once a tenant is as it should be.
const STEADY: Duration = Duration::from_secs(60);

/// A few that each show something else; the tests below run all.
const SHORT: [(Scenario, &str, u32, Fault); 17] = [
    (
        Scenario::Create,
        "PATCH documenttenants/acme",
        1,
        Fault::CutCommitted,
    ),
    (
        Scenario::Create,
        "PATCH documenttenants/acme/status",
        1,
        Fault::KillBefore,
    ),
    (
        Scenario::Create,
        "POST secrets/acme-credentials",
        1,
        Fault::KillCommitted,
    ),
    (Scenario::Create, "provision", 1, Fault::KillCommitted),
    (Scenario::Create, "provision", 2, Fault::Hang),
    (
        Scenario::Create,
        "POST serviceaccounts/acme-api",
        1,
        Fault::Conflict,
    ),
    (
        Scenario::Create,
        "POST deployments/acme-api",
        1,
        Fault::Hang,
    ),
    (Scenario::Create, "inspect", 1, Fault::Shutdown),
    (
        Scenario::Autoscale,
        "PATCH deployments/acme-api",
        1,
        Fault::KillCommitted,
    ),
    (
        Scenario::Autoscale,
        "DELETE httproutes/acme-api",
        1,
        Fault::KillCommitted,
    ),
    (
        Scenario::RotateSigningKeys,
        "PATCH secrets/acme-signing-keys",
        1,
        Fault::KillBefore,
    ),
    (
        Scenario::TakeOutDelete,
        "drop workload",
        1,
        Fault::KillCommitted,
    ),
    (
        Scenario::TakeOutDelete,
        "drop workload",
        2,
        Fault::KillBefore,
    ),
    (
        Scenario::DeleteDelete,
        "DELETE deployments/acme-api",
        1,
        Fault::KillAnswered,
    ),
    (Scenario::DeleteDelete, "delete", 1, Fault::KillBefore),
    (Scenario::DeleteDelete, "delete", 1, Fault::KillCommitted),
    (
        Scenario::DeleteDelete,
        "PATCH documenttenants/acme",
        1,
        Fault::Unavailable,
    ),
];

/// Whether the environment variable `variable` is not set, or has `name` among its names.
fn is_chosen(variable: &str, name: &str) -> bool {
    let names = std::env::var(variable);
    names.map_or(true, |names| names.split("; ").any(|it| it == name))
}

/// Prints a table, and keeps it beside what was built.
fn tell(name: &str, table: &str) {
    eprintln!("{table}");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join(format!("fault-matrix-{name}.md")), table).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_crash_points_come_to_what_a_clean_run_comes_to() {
    let ground = ground().await;
    let selection = Selection {
        scenarios: vec![
            Scenario::Create,
            Scenario::Autoscale,
            Scenario::RotateSigningKeys,
            Scenario::TakeOutDelete,
            Scenario::DeleteDelete,
        ],
        takes: |scenario, point, fault| {
            SHORT.contains(&(scenario, point.call.as_str(), point.occurrence, fault))
        },
        steady: Duration::from_secs(1),
        clean_steady: Duration::from_secs(1),
        parallel: 6,
        watching: 6,
    };
    let report = matrix(&ground, &selection).await.expect("clean runs");
    assert_eq!((report.total(), report.not_met()), (SHORT.len(), 0));
    let failures: Vec<String> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_runs_behind_causes_no_write_again_and_again() {
    let ground = ground().await;
    let seen = disturbed(&ground, "deployments", Disturbance::Coalesce, STEADY / 60).await;
    seen.expect("the operator rests, and the end is the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_goes_between_two_lists_comes_back() {
    let ground = ground().await;
    let kind = "horizontalpodautoscalers";
    let seen = disturbed(&ground, kind, Disturbance::Gone, STEADY / 60).await;
    seen.expect("what a new list lacks is made again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_of_one_namespace_needs_no_rights_in_any_other() {
    let ground = ground().await;
    let served = a_life_in_one_namespace(&ground).await;
    served.expect("a tenant comes, changes and goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_of_different_namespaces_work_side_by_side_and_a_second_of_the_same_waits() {
    let ground = ground().await;
    let served = two_lives_side_by_side(&ground).await;
    served.expect("each serves its own, and the third says that it waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_says_what_a_prometheus_knows_of_the_objectives() {
    let ground = ground().await;
    let said = a_status_says_how_far_promises_are_kept(&ground).await;
    said.expect("each kind of traffic is told by its reason");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_says_what_a_prometheus_knows_of_telemetry_that_is_lost() {
    let ground = ground().await;
    let said = a_status_says_what_telemetry_is_lost(&ground).await;
    said.expect("each loss is told by its reason");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_says_soon_that_a_database_cannot_be_used_and_that_it_can_again() {
    let said = a_status_follows_its_database(&ground().await).await;
    said.expect("each trouble is told by its reason");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_a_workload_is_refused_in_a_sentence_and_documents_have_defaults() {
    let refused = a_spec_names_its_workloads(&ground().await).await;
    refused.expect("the API server says what to write");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_pods_is_nobodys_invention_when_an_autoscaler_comes_and_goes() {
    let seen = a_number_of_pods_changes_hands(&ground().await).await;
    seen.expect("it is what somebody asked for all the time");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-faults"]
async fn every_crash_point_of_every_scenario_comes_to_what_a_clean_run_comes_to() {
    let ground = ground().await;
    let scenarios = Scenario::ALL.into_iter();
    let selection = Selection {
        scenarios: scenarios
            .filter(|it| is_chosen("SCENARIO", it.name()))
            .collect(),
        takes: |_, point, fault| {
            is_chosen("FAULT", &fault.to_string()) && is_chosen("POINT", &point.call)
        },
        steady: STEADY,
        clean_steady: STEADY,
        parallel: std::env::var("PARALLEL").map_or(8, |it| it.parse().expect("a number")),
        watching: 72,
    };
    let report = matrix(&ground, &selection).await.expect("clean runs");
    tell("scenarios", &report.table());
    eprintln!("{} cases, {} not met", report.total(), report.not_met());
    let failures: Vec<String> = report.failures().collect();
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-faults"]
async fn watches_that_freeze_skip_break_and_expire_lose_nothing() {
    let ground = ground().await;
    let staleness = stale(&ground, 9, STEADY).await.expect("cases");
    tell("watches", &staleness.table());
    let failures: Vec<String> = staleness.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
    a_tenant_that_comes_back_unseen(&ground)
        .await
        .expect("the second tenant is served, and has the data of the first");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-faults"]
async fn a_spec_comes_to_the_same_whatever_was_before_it() {
    let ground = ground().await;
    let pairs = std::env::var("PAIRS").map_or(100, |it| it.parse().expect("a number"));
    let states = states(&ground, pairs, 4, STEADY).await.expect("worlds");
    eprintln!("{} of {} pairs failed", states.failures.len(), states.pairs);
    assert!(states.failures.is_empty());
}
